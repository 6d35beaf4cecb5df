import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { DaemonProcess } from './daemon.ts';
import { seededRandom } from './seeded-random.ts';
import { waitFor } from './wait-for.ts';

/** What a number of rounds showed. */
export interface DeathReport {
  readonly rounds: number;
  /** Programs that were killed, in all. */
  readonly deaths: number;
  /** Programs that were started, in all, by the daemons. */
  readonly births: number;
}

const PROGRAMS = 8;
const DEATHS_A_ROUND = 12;

/**
 * Rounds of: programs with `watch_exit` are killed at random moments, and so is the daemon, which polls every 300 s; a new daemon,
 * until every program runs again. Each round asserts that of every program one runs and no more, that no alarm is left, and that
 * no program was started more often than programs and daemon were killed. With an odd seed new processes are told of by the
 * kernel, where it does so; with an even one they are looked for.
 */
export async function deathRounds(dir: string, rounds: number, seed = 1): Promise<DeathReport> {
  const world = new DeathWorld(dir, seed % 2 === 1);
  const random = seededRandom(seed);
  let deaths = 0;
  let daemon = new DaemonProcess(world.configFile);
  try {
    await daemon.line(/started/);
    world.begin();
    await world.settled(daemon, 'the beginning');
    for (let round = 0; round < rounds; round++) {
      const crashAt = Math.floor(random() * DEATHS_A_ROUND);
      for (let death = 0; death < DEATHS_A_ROUND; death++) {
        await delay(random() * 150);
        if (death === crashAt) await daemon.stop('SIGKILL');
        if (world.kill(Math.floor(random() * PROGRAMS))) deaths++;
      }
      daemon = new DaemonProcess(world.configFile);
      await world.settled(daemon, `round ${round}`);
      const births = world.births() - PROGRAMS;
      // Of a start that was under way, the next daemon may not know that it came to something.
      assert(births >= deaths && births <= deaths + round + 1, `round ${round}: ${deaths} deaths, ${births} births`);
    }
    const end = await daemon.stop();
    assert.equal(end.code, 0, 'the last daemon ended in order');
    assert.deepEqual(
      world.running().map(({ length }) => length),
      world.names.map(() => 1),
      'the programs outlive it',
    );
    return { rounds, deaths, births: world.births() - PROGRAMS };
  } finally {
    await daemon.stop('SIGKILL');
    world.end();
  }
}

class DeathWorld {
  readonly configFile: string;
  readonly names = Array.from({ length: PROGRAMS }, (_, i) => `d${process.pid}-${i}`);
  readonly #dir: string;
  readonly #database: DatabaseSync;

  constructor(dir: string, withEvents: boolean) {
    this.#dir = dir;
    this.configFile = join(dir, 'config.ini');
    writeFileSync(join(dir, 'births'), '');
    // A program without children: they would outlive it.
    execFileSync('mkfifo', [join(dir, 'never')]);
    const sections = this.names.map((name) => {
      const program = join(dir, name);
      writeFileSync(program, `#!/bin/sh\necho "$$ ${name}" >> ${dir}/births\nread -r _ <> ${dir}/never\n`, { mode: 0o755 });
      return `[process.${name}]\nstart_command = ${program}\nwatch_exit = true\n`;
    });
    writeFileSync(
      this.configFile,
      `[database]\ndriver = sqlite\npath = ${dir}/alarms.db\n` +
        `[monitor]\ncheck_interval = 300\nflap_recoveries = 0\nmax_exits = 0\nmax_restart_failures = 1000\nstate_dir = ${dir}/state\n` +
        `[logging]\nfile = ${dir}/monitor.log\nsyslog = off\nlevel = debug\n[control]\nsocket = ${dir}/control.sock\n` +
        `[process.default]\nrestart_strategy = process\nrestart_delay = 0.1\nmax_attempts = 50\nstable_time = 0.2\n${sections.join('')}` +
        (withEvents ? `[events]\nsocket = ${dir}/events.sock\n` : ''),
      { mode: 0o600 },
    );
    this.#database = new DatabaseSync(join(dir, 'alarms.db'));
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000;
      CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT);
      CREATE TABLE PROCESE (process_id INT PRIMARY KEY, process_name VARCHAR(255));`);
    for (const [id, name] of this.names.entries()) {
      this.#database.prepare('INSERT INTO PROCESE VALUES (?, ?)').run(id, name);
      this.#database.prepare('INSERT INTO STATUS_PROCESS VALUES (?, 0, 0, NULL)').run(id);
    }
  }

  /** Starts every program, as nobody's child. */
  begin(): void {
    for (const name of this.names)
      spawn('/bin/sh', ['-c', `setsid ${join(this.#dir, name)} >/dev/null 2>&1 &`], { stdio: 'ignore' });
  }

  births(): number {
    return this.#born().length;
  }

  /** The pids of each program that run. */
  running(): number[][] {
    const born = this.#born();
    return this.names.map((name) =>
      born
        .filter(([, other]) => other === name)
        .map(([pid]) => pid)
        .filter((pid) => isProgram(pid, name)),
    );
  }

  /** True where it ran. */
  kill(index: number): boolean {
    const [pid] = this.running()[index] ?? [];
    if (pid === undefined) return false;
    process.kill(pid, 'SIGKILL');
    // On a busy machine it takes its time to die, and must not be counted twice.
    while (isProgram(pid, this.names[index] ?? '')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return true;
  }

  /** Waits until all run, the daemon knows it, and nothing is in alarm; and then a moment whether anything more happens. */
  async settled(daemon: DaemonProcess, when: string): Promise<void> {
    try {
      await waitFor('all programs run, are watched, and none is in alarm', () => this.#isSettled(daemon), 30_000);
      await delay(500);
      assert(this.#isSettled(daemon), `it stays so: ${JSON.stringify(this.running())}`);
    } catch (error) {
      throw new Error(`${when}: ${String(error)}\n${JSON.stringify(this.running())}\n${daemon.stdout().slice(-6000)}`);
    }
  }

  end(): void {
    for (const pid of this.running().flat()) process.kill(pid, 'SIGKILL');
    this.#database.close();
  }

  #isSettled(daemon: DaemonProcess): boolean {
    const said = daemon.stdout();
    const watched = this.running().every(
      (pids, i) => pids.length === 1 && new RegExp(`Watching ${this.names[i]}: pid ${pids[0]}\\b`).test(said),
    );
    const { n } = this.#database.prepare('SELECT count(*) AS n FROM STATUS_PROCESS WHERE alarma = 1').get() as { n: number };
    return watched && n === 0;
  }

  #born(): [number, string][] {
    const lines = readFileSync(join(this.#dir, 'births'), 'utf8').trim().split('\n').filter(Boolean);
    return lines.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']);
  }
}

/** False for a zombie, and for whoever has the pid by now. */
function isProgram(pid: number, name: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.includes(`(${name})`) && !/\) Z /.test(stat);
  } catch {
    return false;
  }
}
