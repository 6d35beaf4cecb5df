import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { nodeArgs } from '../bench/line-program.ts';
import { DaemonProcess } from './daemon.ts';
import { killLeftovers } from './leftovers.ts';
import { seededRandom } from './seeded-random.ts';
import { waitFor } from './wait-for.ts';
import { WatchedPrograms } from './watched-programs.ts';

/** What a time beside a stranger showed. */
export interface StrangerReport {
  /** Programs that were killed, and programs that were started for them. */
  readonly deaths: number;
  readonly births: number;
  /** Milliseconds from a kill to the successor's first line, half of them and the longest. */
  readonly healedMs: { readonly median: number; readonly longest: number };
  /** How often the stranger did what. */
  readonly acts: Readonly<Record<string, number>>;
  /** How long the daemon's loop stood still at most, and that of a program beside it that looks at nobody else, in milliseconds. */
  readonly stall: Stall;
  readonly floor: Stall;
  /** What the daemon held in memory once it was warm, and in the end, in bytes. */
  readonly resident: { readonly warm: number; readonly end: number };
}

interface Stall {
  /** Without the time in which it waited for a processor that others had. */
  readonly stallMs: number;
  readonly cpuMs: number;
}

const PROGRAMS = 8;
const STRANGER = 65_534;
const SETTLED_WITHIN_MS = 60_000;
/** For as long nothing more may happen. */
const STILL_MS = 1000;
const MOST_STALL_MS = 100;
const MOST_GROWN = 10e6;
/**
 * Who takes the stranger's namesakes for the program needs seconds, mostly. One that is killed again before its health check waits for
 * the end of that.
 */
const MOST_HEALED_MS = { median: 2000, longest: 20_000 };

/**
 * Beside a stranger who does what any user may (fixtures/process-table/attacker.py) 8 watched programs of root's are killed at
 * random moments, for so many seconds. Asserts that each was healed soon, by one start for each death, that never two copies of one
 * ran, that nothing of the stranger's was stopped or started by us and that it could do nothing that it must not, that the daemon's loop
 * never stood still for 100 ms, and that its memory stayed as it was. With an odd seed new processes are told of by the kernel,
 * where it does so; with an even one they are looked for. Needs root and python3.
 */
export async function strangerSoak(dir: string, seconds: number, seed = 1): Promise<StrangerReport> {
  const world = new StrangerWorld(dir, seed % 2 === 1);
  const { programs } = world;
  const random = seededRandom(seed);
  const probe = probing(join(dir, 'stalls'));
  const idle = probing(join(dir, 'floor'));
  const floor = spawn(process.execPath, [...nodeArgs(), join(import.meta.dirname, '../fixtures/loop-floor.ts')], {
    env: idle.env,
    stdio: 'ignore',
  });
  const daemon = new DaemonProcess(programs.configFile, probe.env, [...nodeArgs(), ...probe.args]);
  let stranger: Stranger | undefined;
  try {
    await daemon.line(/ started \(pid/);
    // Nobody else starts them for the first time.
    await programs.settled(daemon, 'the beginning', SETTLED_WITHIN_MS, STILL_MS);
    stranger = new Stranger(world, daemon.child.pid ?? 0, seed);
    const resident: number[] = [];
    const healedMs: number[] = [];
    let deaths = 0;
    const end = performance.now() + seconds * 1000;
    const killing = (async () => {
      while (performance.now() < end) {
        await delay(200 + random() * 800);
        const index = Math.floor(random() * PROGRAMS);
        const killedMs = performance.now();
        if (!programs.kill(index)) continue;
        deaths++;
        const births = programs.births(index);
        void waitFor('it is started again', () => programs.births(index) > births).then(
          () => healedMs.push(performance.now() - killedMs),
          () => healedMs.push(Number.POSITIVE_INFINITY),
        );
      }
    })();
    while (performance.now() < end) {
      await delay(Math.min(1000, Math.max(end - performance.now(), 0)));
      resident.push(residentBytes(daemon.child.pid ?? 0));
      assert(
        programs.running().every(({ length }) => length < 2),
        `never two copies: ${JSON.stringify(programs.running())}`,
      );
    }
    await killing;
    await programs.settled(daemon, 'the end', SETTLED_WITHIN_MS, STILL_MS);
    const { done: acts, ended, breaches } = await stranger.end();
    const births = programs.allBirths() - PROGRAMS;
    const [stall, floorStall] = [probe.worst(), idle.worst()];
    assert.equal((await daemon.stop()).code, 0, 'the daemon ended in order');
    assert.deepEqual(
      { ended, breaches },
      { ended: [], breaches: [] },
      'nothing of the stranger’s was touched, nor did it touch us',
    );
    assert.equal(births, deaths, 'one start for each death');
    world.judgeMarks((acts.crash ?? 0) + (acts.swap ?? 0));
    const report: StrangerReport = {
      deaths,
      births,
      healedMs: { median: median(healedMs), longest: Math.max(...healedMs) },
      acts,
      stall,
      floor: floorStall,
      resident: {
        warm: median(resident.slice(resident.length / 5, (resident.length * 2) / 5)),
        end: median(resident.slice(-10)),
      },
    };
    const said = JSON.stringify(report);
    const { median: usual, longest } = report.healedMs;
    assert(usual < MOST_HEALED_MS.median && longest < MOST_HEALED_MS.longest, `healed soon: ${said}`);
    // What it waits for is a busy machine's too: then the other one has to wait as well.
    assert(stall.cpuMs < MOST_STALL_MS && stall.stallMs < MOST_STALL_MS + floorStall.stallMs, `no stall: ${said}`);
    assert(report.resident.end - report.resident.warm < MOST_GROWN, `no more memory: ${said}`);
    return report;
  } catch (error) {
    throw new Error(`${String(error)}\n${daemon.stdout().slice(-6000)}\n${daemon.stderr().slice(-2000)}`);
  } finally {
    await stranger?.end();
    await daemon.stop('SIGKILL');
    floor.kill('SIGKILL');
    programs.end();
    killLeftovers(dir);
  }
}

/** What has a program tell how its loop stands: fixtures/loop-probe.ts. */
function probing(file: string): { readonly args: string[]; readonly env: Record<string, string>; readonly worst: () => Stall } {
  const module = pathToFileURL(join(import.meta.dirname, '../fixtures/loop-probe.ts')).href;
  return {
    args: ['--import', module],
    env: { LOOP_PROBE: file },
    worst: () => JSON.parse(readFileSync(file, 'utf8')) as Stall,
  };
}

class Stranger {
  readonly #child: ChildProcess;
  readonly #report: Promise<string>;

  constructor(world: StrangerWorld, daemon: number, seed: number) {
    const { programs, opt, own, hidden } = world;
    const task = JSON.stringify({ seed, uid: STRANGER, names: programs.names, opt, daemon, own, private: hidden });
    const file = join(import.meta.dirname, '../fixtures/process-table/attacker.py');
    const child = spawn('python3', ['-B', file, task], { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => {});
    this.#child = child;
    this.#report = child.stdout
      .setEncoding('utf8')
      .toArray()
      .then((pieces) => pieces.join(''));
  }

  /** Has it end its processes and tell; idempotent. */
  async end(): Promise<{ done: Record<string, number>; ended: string[]; breaches: string[] }> {
    this.#child.stdin?.end();
    const report = await this.#report;
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return report === '' ? { done: {}, ended: ['itself'], breaches: [] } : JSON.parse(report);
  }
}

/** Watched programs, and what is the stranger's. */
class StrangerWorld {
  readonly programs: WatchedPrograms;
  /** Where the programs lie. */
  readonly opt: string;
  /** The stranger's folder. */
  readonly own: string;
  /** One that it may not enter. */
  readonly hidden: string;

  constructor(dir: string, withEvents: boolean) {
    chmodSync(dir, 0o755);
    [this.own, this.hidden, this.opt] = [join(dir, 'own'), join(dir, 'hidden'), join(dir, 'opt')];
    mkdirSync(this.own);
    chownSync(this.own, STRANGER, STRANGER);
    mkdirSync(this.hidden, { mode: 0o700 });
    mkdirSync(this.opt);
    this.programs = new WatchedPrograms(dir, {
      names: Array.from({ length: PROGRAMS }, (_, i) => `s${process.pid}-${i}`),
      folder: this.opt,
      section: (program) => `start_command = exec ${program}\n`,
      defaults: 'ensure_running = true\nboot_grace = 0.2\n',
      withEvents,
    });
  }

  /** Asserts that what the stranger ran to its end ran so often, and as it alone. */
  judgeMarks(times: number): void {
    const marks = join(this.own, 'marks');
    const users = existsSync(marks) ? readFileSync(marks, 'utf8').trim().split('\n') : [];
    assert.deepEqual(
      [users.length, users.filter((user) => user !== String(STRANGER))],
      [times, []],
      'nothing of its was started',
    );
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
