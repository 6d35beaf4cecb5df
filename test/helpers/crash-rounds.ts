import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { DaemonProcess } from './daemon.ts';
import { seededRandom } from './seeded-random.ts';
import { waitFor } from './wait-for.ts';

/** What a number of rounds showed. */
export interface CrashReport {
  readonly rounds: number;
  readonly kills: number;
  /** Restarts beyond the first of a process in a round, summed. */
  readonly repeated: number;
}

const PROCESSES = 50;

/**
 * Rounds of: 50 alarms at once, SIGKILL of the daemon at a random moment, a new daemon, until every alarm is cleared. Each
 * round asserts that every process is healthy, none was restarted after its clearing, and no more attempts were repeated than
 * the daemon was killed.
 */
export async function crashRounds(dir: string, rounds: number, seed = 1): Promise<CrashReport> {
  const world = new CrashWorld(dir);
  const random = seededRandom(seed);
  let kills = 0;
  let repeated = 0;
  for (let round = 0; round < rounds; round++) {
    world.raiseAll();
    const first = new DaemonProcess(world.configFile);
    try {
      await first.line(/started/);
      await delay(random() * 700);
    } finally {
      await first.stop('SIGKILL');
    }
    kills++;
    const second = new DaemonProcess(world.configFile);
    try {
      await second.line(/started/);
      await waitFor(`all alarms of round ${round} cleared`, () => world.inAlarm() === 0, 60_000);
    } catch (error) {
      throw new Error(`${String(error)}\n${second.stdout().slice(-4000)}`);
    } finally {
      const end = await second.stop();
      assert.equal(end.code, 0, `the daemon of round ${round} ended in order`);
    }
    repeated += world.judge(round);
  }
  world.close();
  return { rounds, kills, repeated };
}

class CrashWorld {
  readonly configFile: string;
  readonly #dir: string;
  readonly #database: DatabaseSync;

  constructor(dir: string) {
    this.#dir = dir;
    this.configFile = join(dir, 'config.ini');
    const script = join(dir, 'restart.sh');
    // The health file comes last: a process is healthy only once its restart is through.
    writeFileSync(script, `#!/bin/sh\necho "$1 $(date +%s%N)" >> ${dir}/restarts\nsleep 0.02\n: > ${dir}/healthy/$1\n`, {
      mode: 0o755,
    });
    writeFileSync(
      this.configFile,
      `[database]\ndriver = sqlite\npath = ${dir}/alarms.db\n[monitor]\ncheck_interval = 0.2\nflap_recoveries = 0\nstate_dir = ${dir}/state\n` +
        `[logging]\nfile = ${dir}/monitor.log\nsyslog = off\n[control]\nsocket = ${dir}/control.sock\n` +
        `[process.default]\nrestart_strategy = custom\nrestart_command = ${script} %s\nhealth_check_command = test -e ${dir}/healthy/%s\nrestart_delay = 0.1\n`,
      { mode: 0o600 },
    );
    this.#database = new DatabaseSync(join(dir, 'alarms.db'));
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000;
      CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT);
      CREATE TABLE PROCESE (process_id INT PRIMARY KEY, process_name VARCHAR(255));
      CREATE TABLE clearings (process_id INT, at TEXT);
      CREATE TRIGGER cleared AFTER UPDATE OF alarma ON STATUS_PROCESS WHEN old.alarma = 1 AND new.alarma = 0
        BEGIN INSERT INTO clearings VALUES (new.process_id, CAST(unixepoch('now', 'subsec') * 1000000000 AS INTEGER)); END;`);
    for (let id = 1; id <= PROCESSES; id++) {
      this.#database.prepare('INSERT INTO PROCESE VALUES (?, ?)').run(id, `p${id}`);
      this.#database.prepare('INSERT INTO STATUS_PROCESS VALUES (?, 0, 0, NULL)').run(id);
    }
  }

  /** Everything dies and is in alarm. */
  raiseAll(): void {
    rmSync(join(this.#dir, 'healthy'), { recursive: true, force: true });
    rmSync(join(this.#dir, 'restarts'), { force: true });
    mkdirSync(join(this.#dir, 'healthy'));
    writeFileSync(join(this.#dir, 'restarts'), '');
    this.#database.exec('DELETE FROM clearings; UPDATE STATUS_PROCESS SET alarma = 1, sound = 0, notes = NULL');
  }

  inAlarm(): number {
    return (this.#database.prepare('SELECT count(*) AS n FROM STATUS_PROCESS WHERE alarma = 1').get() as { n: number }).n;
  }

  /** Asserts the promise; returns how many attempts were repeated. */
  judge(round: number): number {
    const restarts = readFileSync(join(this.#dir, 'restarts'), 'utf8').trim().split('\n');
    const clearings = this.#database.prepare('SELECT process_id, CAST(at AS TEXT) AS at FROM clearings').all() as {
      process_id: number;
      at: string;
    }[];
    let repeated = 0;
    for (let id = 1; id <= PROCESSES; id++) {
      const times = restarts.filter((line) => line.startsWith(`p${id} `)).map((line) => BigInt(line.split(' ')[1] ?? '0'));
      const cleared = clearings.filter((row) => row.process_id === id).map((row) => BigInt(row.at));
      assert(times.length >= 1, `round ${round}: p${id} was restarted`);
      assert.equal(cleared.length, 1, `round ${round}: p${id} was cleared once`);
      // The database's clock counts milliseconds.
      assert(
        times.every((time) => time < (cleared[0] ?? 0n) + 1_000_000n),
        `round ${round}: p${id} was restarted after its clearing`,
      );
      repeated += times.length - 1;
    }
    assert(repeated <= 1, `round ${round}: ${repeated} attempts were repeated for one kill`);
    return repeated;
  }

  close(): void {
    this.#database.close();
  }
}
