import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { CommandResult } from '../../../src/system/spawn/command-result.ts';
import { runUnit } from '../../../src/system/systemd/unit/name.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { defineUnits, kinds, openWay, ourUnits, systemctl, WAYS, type Way, ways } from './pid1-ways.ts';
import { knownUnits } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see pid1.test.ts.

const seed = Date.now() % 100_000;
const random = seededRandom(seed);

/** What is done to PID 1, or to the way to it, in the middle of everything; and how often. */
const DISTURBANCES = {
  'daemon-reload': { argv: ['daemon-reload'], rounds: 1 },
  'daemon-reexec': { argv: ['daemon-reexec'], rounds: 3 },
  'a restart of the bus': { argv: ['restart', 'dbus.service'], rounds: 1 },
} as const;

type Disturbance = keyof typeof DISTURBANCES;
const disturbances = Object.keys(DISTURBANCES) as Disturbance[];

for (const what of disturbances) {
  test(`${what} in the middle of commands and restarts: each is reported correctly or as unknown, and none happens twice`, async (t) => {
    t.diagnostic(`seed ${seed}`);
    defineSlowUnits(t);
    const open = { private: openWay(t, WAYS.private), bus: openWay(t, WAYS.bus) };
    const right = { commands: 0, restarts: 0 };
    for (let round = 1; round <= DISTURBANCES[what].rounds; round++) {
      const [commands, restarts] = [new Tally(), new Tally()];
      startSlowUnits();
      const under = [...restartAll(open, restarts), ...runAll(open, `${round}-before`, 2, 2000, commands)];
      await delay(random() * 1500);
      const disturbed = disturb(what);
      // Some are begun in the middle of it.
      await delay(random() * 200);
      under.push(...runAll(open, `${round}-amid`, 1, 400, commands));
      await disturbed;
      await Promise.all(under);
      right.commands += commands.close(t, `${what}, round ${round}, commands`);
      right.restarts += restarts.close(t, `${what}, round ${round}, restarts`);
      await waitFor('no unit is left', () => ourUnits().length === 0);
    }
    assert(right.commands > 0 && right.restarts > 0, `not all of it is unknown (seed ${seed})`);
  });
}

test('after daemon-reload and daemon-reexec an action still dies whole at its limit, and leaves no unit', async (t) => {
  const line = 'setsid sleep 600 & echo $! > a; (trap "" TERM; echo $BASHPID > b; sleep 601; sleep 602) & wait';
  const runs = ways.map(async (by) => {
    const way = openWay(t, WAYS[by]);
    const run = way.run(line, { timeoutMs: 3000 });
    const pids = [await way.pid('a'), await way.pid('b')];
    return { by, run, pids };
  });
  const begun = await Promise.all(runs);
  for (const what of ['daemon-reload', 'daemon-reexec'] as const) await disturb(what);
  for (const { by, run, pids } of begun) {
    const result = await run;
    assert(result.kind === 'timed_out' || isNotKnown(result), `${by}: ${JSON.stringify(result)}`);
    for (const pid of pids) assert.equal(isAlive(pid), false, `${by}: nobody is left behind`);
  }
  await waitFor('no unit is left', () => ourUnits().length === 0);
});

test('how an action ended while nobody could be notified is found out afterwards, reloaded or not', async (t) => {
  const way = openWay(t, WAYS.bus);
  t.after(() => systemctl('start', 'dbus.socket'));
  for (const reload of [false, true]) {
    for (const [ending, expected] of Object.entries(ENDINGS)) {
      // Who asks is patient for 3 s: on a machine so busy that the bus was away for longer, once more.
      for (let attempt = 1; ; attempt++) {
        const runId = `told-later-${reload}-${ending.replaceAll(/\W+/g, '').toLowerCase()}-${attempt}`;
        const run = way.run(`echo begun; echo $$ > ${runId}; until [ -e go-${runId} ]; do sleep 0.02; done; ${ending}`, {
          runId,
        });
        await way.pid(runId);
        if (reload) systemctl('daemon-reload');
        systemctl('stop', 'dbus.socket', 'dbus.service');
        const awayMs = performance.now();
        writeFileSync(join(way.dir, `go-${runId}`), '');
        await waitFor('the unit gone', () => knownUnits(runUnit(runId)).length === 0);
        systemctl('start', 'dbus.socket');
        const isLate = performance.now() - awayMs > 2000;
        const result = await run;
        if (isLate && isNotKnown(result) && attempt < 5) continue;
        assert.deepEqual(result, { ...expected, output: 'begun\n' }, `${ending}, ${reload ? 'reloaded' : 'not reloaded'}`);
        break;
      }
    }
  }
});

async function disturb(what: Disturbance): Promise<void> {
  // systemctl itself may be cut off from PID 1.
  await promisify(execFile)('systemctl', [...DISTURBANCES[what].argv]).catch(() => {});
}

type Open = Readonly<Record<(typeof ways)[number], Way>>;

/** Of one round: how the verdicts turned out. */
class Tally {
  readonly #wrong: string[] = [];
  #right = 0;
  #notKnown = 0;

  add(verdict: 'right' | 'not known' | 'wrong', what: string): void {
    if (verdict === 'right') this.#right++;
    else if (verdict === 'not known') this.#notKnown++;
    else this.#wrong.push(what);
  }

  /** How many verdicts were right. */
  close(t: TestContext, round: string): number {
    t.diagnostic(`${round}: ${this.#right} right, ${this.#notKnown} not known, ${this.#wrong.length} wrong`);
    assert.deepEqual(this.#wrong, [], `${round} (seed ${seed})`);
    return this.#right;
  }
}

const ENDINGS = {
  'exit 0': { kind: 'exited', exitCode: 0 },
  'exit 3': { kind: 'exited', exitCode: 3 },
  'kill -KILL $$': { kind: 'signaled', signal: 'SIGKILL' },
} as const;

/** Commands of both kinds and ways and with each ending, `each` times, that take up to `spreadMs`. */
function runAll(open: Open, round: string, each: number, spreadMs: number, tally: Tally): Promise<void>[] {
  const runs: Promise<void>[] = [];
  for (const by of ways) {
    for (const kind of kinds) {
      for (const ending of Object.keys(ENDINGS) as (keyof typeof ENDINGS)[]) {
        for (let i = 0; i < each; i++) {
          const ms = Math.round(random() * spreadMs);
          const name = `${round}-${by}-${runs.length}`;
          runs.push(runOne(open[by], { name, kind, ending, ms }, tally));
        }
      }
    }
  }
  return runs;
}

interface Planned {
  readonly name: string;
  readonly kind: (typeof kinds)[number];
  readonly ending: keyof typeof ENDINGS;
  readonly ms: number;
}

/** It may be carried out once and whole, or never; what is said of it has to fit. */
async function runOne(way: Way, { name, kind, ending, ms }: Planned, tally: Tally): Promise<void> {
  const line = `echo ran >> ${name}; echo ${name}; sleep ${(ms / 1000).toFixed(3)}; echo over >> ${name}; ${ending}`;
  const result = await way.run(line, { kind, timeoutMs: 60_000, description: name });
  const trace = way.text(name);
  const what = `${name} (${kind}, ${ending}, ${ms} ms) left ${JSON.stringify(trace)}: ${JSON.stringify(result)}`;
  assert(['', 'ran\nover\n'].includes(trace), what);
  const expected = { ...ENDINGS[ending], output: `${name}\n` };
  const isRight = trace !== '' && JSON.stringify(sorted(result)) === JSON.stringify(sorted(expected));
  // A busy machine's PID 1 may not answer in time: then nothing of it may have been begun.
  const isHonest = isNotKnown(result) || (result.kind === 'not_started' && trace === '');
  tally.add(isRight ? 'right' : isHonest ? 'not known' : 'wrong', what);
}

function isNotKnown({ kind }: CommandResult): boolean {
  return kind === 'lost';
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Units whose start takes as long as a file named after them says, and leaves a line in another. */
const FOLDER = '/run/pid1-slow';
const start = (rest: string): string =>
  `ExecStart=/bin/sh -c 'echo started >> ${FOLDER}/%p.%i; sleep "$$(cat ${FOLDER}/%i)"; ${rest}'`;
const NOTIFY = ['Type=notify', 'NotifyAccess=all', 'TimeoutStartSec=60'];
const SLOW_UNITS: Readonly<Record<string, readonly string[]>> = {
  'pid1-ready': [...NOTIFY, start('systemd-notify --ready; exec sleep 600')],
  'pid1-never-ready': [...NOTIFY, start('exit 3')],
  'pid1-tried-again': [...NOTIFY, 'Restart=on-failure', 'RestartSec=600', start('exit 3')],
  'pid1-done': ['Type=oneshot', start('exit 0')],
  'pid1-stays-done': ['Type=oneshot', 'RemainAfterExit=yes', start('exit 0')],
  'pid1-not-done': ['Type=oneshot', start('exit 3')],
};

/** Some for each way. */
const slow = Object.keys(SLOW_UNITS).flatMap((name) =>
  ways.flatMap((by) => ['0', '1'].map((i) => ({ by, name, instance: `${by}${i}`, unit: `${name}@${by}${i}.service` }))),
);

function defineSlowUnits(t: TestContext): void {
  mkdirSync(FOLDER, { recursive: true });
  t.after(() => rmSync(FOLDER, { recursive: true, force: true }));
  defineUnits(t, Object.fromEntries(Object.entries(SLOW_UNITS).map(([name, text]) => [`${name}@.service`, text])));
}

/** At once this time. */
function startSlowUnits(): void {
  for (const { instance } of slow) writeFileSync(join(FOLDER, instance), '0\n');
  const units = slow.map(({ unit }) => unit);
  // Stopped first: one that waits to be tried again would be waited for.
  for (const verb of ['stop', 'reset-failed', 'start']) systemctl(verb, ...units);
}

function restartAll(open: Open, tally: Tally): Promise<void>[] {
  for (const { instance } of slow) writeFileSync(join(FOLDER, instance), `${(random() * 1.5).toFixed(3)}\n`);
  return slow.map(({ by, name, instance, unit }) => restartOne(open[by], unit, join(FOLDER, `${name}.${instance}`), tally));
}

/** The unit itself, and the trace that its starts leave, tell how it was. */
async function restartOne(way: Way, unit: string, trace: string, tally: Tally): Promise<void> {
  const starts = (): number => readFileSync(trace, 'utf8').split('\n').length - 1;
  const before = starts();
  const result = await way.services.call('restart', unit, 60_000, never);
  const { activeState, result: outcome } = await look(unit);
  const isWell = activeState === 'active' || (activeState === 'inactive' && outcome === 'success');
  const verdict = result.kind === 'done' ? 'well' : FAILED.test(result.reason) ? 'failed' : 'not known';
  const what = `${unit}: ${JSON.stringify(result)}; ${starts() - before} starts, now ${activeState} (${outcome})`;
  assert(starts() - before <= 1, what);
  // A busy machine's PID 1 may not answer in time: then nothing of it may have been begun.
  const wasUnreached = result.kind === 'failed' && result.reason === 'systemd does not answer' && starts() === before;
  if (wasUnreached || (result.kind === 'failed' && /not known|lost meanwhile/.test(result.reason)))
    tally.add('not known', what);
  else tally.add(starts() > before && verdict === (isWell ? 'well' : 'failed') ? 'right' : 'wrong', what);
}

/** Without the reason where the link to PID 1 ended before that was asked for. */
const FAILED =
  /^(?:failed \(exit-code\): (?:ExecStart=\S+|its main process) ended with exit code 3|its job failed), see journalctl -u /;

async function look(unit: string): Promise<{ readonly activeState: string; readonly result: string }> {
  const ask = (name: string) => promisify(execFile)('systemctl', ['show', '--value', `--property=${name}`, unit]);
  // systemctl, too, is cut off from a PID 1 that is executed anew.
  const told = (name: string) => waitFor('an answer to systemctl', () => ask(name).catch(() => undefined));
  const [activeState, result] = await Promise.all([told('ActiveState'), told('Result')]);
  return { activeState: activeState.stdout.trim(), result: result.stdout.trim() };
}
