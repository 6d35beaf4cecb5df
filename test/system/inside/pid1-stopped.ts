import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as breathe, setTimeout as delay } from 'node:timers/promises';
import type { CommandResult } from '../../../src/system/spawn/command-result.ts';
import { readProperties, textOf } from '../../../src/system/systemd/properties.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type Held, measureLag } from './pid1-lag.ts';
import { defineUnits, kinds, openWay, ourUnits, shown, systemctl, WAYS, type Way, ways } from './pid1-ways.ts';

// Runs under a real systemd, where it is PID 1: see pid1.test.ts. That stops PID 1 once the file `ready` is there, says so by the
// file `stopped`, and has it go on when it has been stopped for long enough and `asked` is there; `continued` says that.

const FOLDER = '/run/pid1-stopped';
const signpost = (name: string): string => join(FOLDER, name);
/** Of what is asked of a PID 1 that will not answer in time, and of what can wait. */
const [SHORT_MS, LONG_MS] = [2000, 60_000];
/** Well before PID 1 goes on, and within the time that a question waits. */
const LATE_MS = 14_000;
const SILENCE = 'systemd does not answer';
/** A question that has no answer by then is given up. */
const QUESTION_MS = 9900;

test('while PID 1 stands still nobody is delayed; what can wait continues after it, and what could not wait has not happened', async (t) => {
  mkdirSync(FOLDER, { recursive: true });
  let done = false;
  // First of all: everything else that comes after the test asks PID 1.
  t.after(async () => {
    if (done) return;
    writeFileSync(signpost('failed'), '');
    await waitFor('PID 1 goes on', () => existsSync(signpost('continued')), 60_000);
  });
  t.after(() => rmSync(FOLDER, { recursive: true, force: true }));
  defineUnits(t, { 'pid1-stopped@.service': ['ExecStart=/bin/sleep 600'] });
  const units = ways.flatMap((by) => ['0', '1', '2'].map((i) => ({ by, unit: `pid1-stopped@${by}${i}.service` })));
  systemctl('start', ...units.map(({ unit }) => unit));
  const open = { private: openWay(t, WAYS.private), bus: openWay(t, WAYS.bus) };
  for (const by of ways) {
    for (const kind of kinds) assert.equal((await open[by].run('true', { kind })).kind, 'exited');
    t.after(() => open[by].programs.retire(`pid1-stopped-${by}`, 30_000, never));
  }
  const before = new Map(units.map(({ unit }) => [unit, shown('show', '--value', '--property=MainPID', unit)]));

  const control = spawn(process.execPath, [join(import.meta.dirname, 'pid1-lag.ts')]);
  t.after(() => void control.kill());
  await new Promise((resolve) => control.stdout.once('data', resolve));
  const lag = measureLag();
  t.after(() => lag.stop());
  const lags: string[] = [];
  const takeLag = async (when: string): Promise<Held> => {
    const [held, idle] = [lag.take(), await askControl(control)];
    const [wall, work] = [held.wallMs.toFixed(1), held.workMs.toFixed(1)];
    lags.push(`${when} ${wall} ms, by its own work ${work} ms (a process that does nothing: ${idle.toFixed(1)} ms)`);
    return held;
  };
  const silence: Held[] = [];
  await takeLag('before');

  // Some are on their way at the moment at which it stops.
  const racing = race(open);
  writeFileSync(signpost('ready'), '');
  await waitFor('PID 1 is stopped', () => existsSync(signpost('stopped')), 60_000);
  const stoppedMs = performance.now();
  await delay(300);
  const racers = racing();
  silence.push(await takeLag('around its stop'));

  const short = ways.map((by) => refused(open[by], by, units.filter((unit) => unit.by === by)[0]?.unit ?? ''));
  const long = ways.map((by) =>
    carriedOut(
      open[by],
      by,
      units.filter((unit) => unit.by === by).map(({ unit }) => unit),
    ),
  );
  await Promise.all(short);
  silence.push(await takeLag('while what could not wait was given up'));
  t.diagnostic(`all that could not wait had been given up after ${((performance.now() - stoppedMs) / 1000).toFixed(1)} s`);
  await delay(Math.max(LATE_MS - (performance.now() - stoppedMs), 0));
  // A question waits for 10 s; these are still waiting when PID 1 goes on.
  const late = await paced(ways.flatMap((by) => Array.from({ length: 20 }, () => () => timed(open[by].services))));
  silence.push(await takeLag('while they were asked'));
  writeFileSync(signpost('asked'), '');
  while (isStopped()) {
    await delay(500);
    const held = await takeLag('while PID 1 stood still');
    // What comes once it goes on is work.
    if (isStopped()) silence.push(held);
  }
  await waitFor('PID 1 goes on', () => existsSync(signpost('continued')), 60_000);

  for (const { answer, ms } of await Promise.all(late)) {
    // On a busy machine PID 1 may take longer for all that it finds than what is left of a question's time.
    if (answer.kind === 'failed' && ms >= QUESTION_MS) continue;
    assert(answer.kind === 'status' && answer.status.activeState === 'active', `${ms} ms: ${JSON.stringify(answer)}`);
  }
  await Promise.all(long);
  // All go on at once then, on both ways, which is work; how long it takes depends on who else works on this machine.
  await takeLag('afterwards');
  for (const { unit } of units) {
    const now = shown('show', '--value', '--property=MainPID', unit);
    assert.notEqual(now, before.get(unit), `${unit} was restarted`);
  }
  const verdicts = await Promise.all(racers.map(judge));
  const unborn = racers.filter((_, i) => verdicts[i] === 'not');
  t.diagnostic(`commands under way when PID 1 stopped: ${racers.length}, of which ${unborn.length} did not run`);

  // All that PID 1 had been told by then it has done.
  await waitFor('PID 1 has nothing to do', () => shown('list-jobs', '--no-legend') === '' && noRunIsLeft());
  for (const { name, way } of unborn) assert.equal(way.text(name), '', `${name} has not been started since`);
  const traces = ways.flatMap((by) => readdirSync(open[by].dir).filter((name) => name.startsWith('refused')));
  assert.deepEqual(traces, [], 'what was given up has not happened');
  for (const line of lags) t.diagnostic(`longest time that the loop was held up, ${line}`);
  const told = lags.join('; ');
  for (const { wallMs, workMs } of silence) {
    assert(workMs < 50, `what we did held up the loop for ${workMs} ms: ${told}`);
    // On a busy machine everybody is held up at times; who waited for PID 1 would be until it goes on.
    assert(wallMs < 1000, `the loop was held up for ${wallMs} ms: ${told}`);
  }
  done = true;
});

/** One question about a unit that is always up, and how long it took. */
async function timed(services: Way['services']) {
  const beganMs = performance.now();
  const answer = await services.show('basic.target', never);
  return { answer, ms: performance.now() - beganMs };
}

function isStopped(): boolean {
  return readFileSync('/proc/1/stat', 'latin1').includes(') T ');
}

function noRunIsLeft(): boolean {
  return ourUnits().every((line) => line.includes('monitor_service-app-pid1'));
}

async function askControl(control: ChildProcessWithoutNullStreams): Promise<number> {
  const answer = new Promise<string>((resolve) => control.stdout.once('data', (data) => resolve(String(data))));
  control.stdin.write('\n');
  return Number(await answer);
}

interface Racer {
  readonly name: string;
  readonly way: Way;
  readonly result: Promise<CommandResult>;
}

/** Starts commands one after the other, some with an early abort; the function ends that and returns them. */
function race(open: Readonly<Record<(typeof ways)[number], Way>>): () => readonly Racer[] {
  const racers: Racer[] = [];
  const timer = setInterval(() => {
    const i = racers.length;
    const way = open[ways[i % 2] ?? 'private'];
    const name = `racer-${i}`;
    const signal = i % 4 < 2 ? never : AbortSignal.timeout(700);
    const result = way.run(`echo ran > ${name}`, {
      kind: kinds[Math.floor(i / 4) % 2] ?? 'check',
      timeoutMs: SHORT_MS,
      signal,
    });
    racers.push({ name, way, result });
  }, 20);
  return () => {
    clearInterval(timer);
    return racers;
  };
}

/** A command of which nothing is said but that it ended, or did not begin, has done just that. */
async function judge({ name, way, result }: Racer): Promise<'ran' | 'not'> {
  const ended = await result;
  const ran = way.text(name) !== '';
  switch (ended.kind) {
    case 'exited':
      assert(ran && ended.exitCode === 0, `${name}: ${JSON.stringify(ended)}`);
      return 'ran';
    case 'not_started':
      assert(!ran, `${name} ran: ${JSON.stringify(ended)}`);
      return 'not';
    case 'lost':
    case 'aborted':
    case 'timed_out':
      return ran ? 'ran' : 'not';
    default:
      assert.fail(`${name}: ${JSON.stringify(ended)}`);
  }
}

/** What cannot wait: it is told that nobody answers, within its time, and nothing comes of it later. */
async function refused({ run, services, programs, dir }: Way, by: string, unit: string): Promise<void> {
  const silent = { kind: 'failed', reason: SILENCE };
  const what = { kind: 'line', line: `touch ${dir}/refused-launch`, environment: {}, user: undefined } as const;
  const launch = { systemName: `pid1-refused-${by}`, runId: 'refused', timeoutMs: SHORT_MS, what };
  const asked = await paced([
    ...kinds.flatMap((kind) =>
      Array.from({ length: 5 }, (_, i) => async () => {
        const result = await run(`touch refused-${by}-${kind}-${i}`, { kind, timeoutMs: SHORT_MS });
        assert.deepEqual(result, { kind: 'not_started', reason: SILENCE });
      }),
    ),
    ...kinds.flatMap((kind) =>
      Array.from({ length: 5 }, (_, i) => async () => {
        const [beganMs, afterMs] = [performance.now(), 200 + 300 * i];
        const signal = AbortSignal.timeout(afterMs);
        const result = await run(`touch refused-aborted-${by}-${kind}-${i}`, { kind, timeoutMs: LONG_MS, signal });
        assert.deepEqual(result, { kind: 'aborted', output: '' });
        // There is nothing that could be ended first.
        assert(performance.now() - beganMs < afterMs + 10_000, 'an abort of what has not begun is told soon');
      }),
    ),
    async () => assert.deepEqual(await programs.launch(launch, 200, never), silent),
    async () => assert.deepEqual(await services.call('stop', unit, SHORT_MS, never), silent),
    async () => {
      const stopped = await services.call('stop', unit, LONG_MS, AbortSignal.timeout(500));
      assert.deepEqual(stopped, { kind: 'failed', reason: 'aborted' });
    },
    async () => {
      const shown = await services.show(unit, never);
      assert(shown.kind === 'failed' && shown.reason === SILENCE, JSON.stringify(shown));
    },
  ]);
  await Promise.all(asked);
}

/** What can wait: it happens once PID 1 goes on, and is told as it was. */
async function carriedOut(
  { run, services, programs, pid1, pid, dir }: Way,
  by: string,
  units: readonly string[],
): Promise<void> {
  const limit = { timeoutMs: LONG_MS };
  const names = { Unit: ['ActiveState'], Service: [] };
  const what = { kind: 'line', line: `echo $$ > ${dir}/launched; exec sleep 600`, environment: {}, user: undefined } as const;
  const launch = { systemName: `pid1-stopped-${by}`, runId: 'stopped', timeoutMs: LONG_MS, what };
  const asked = await paced([
    ...kinds.flatMap((kind) =>
      Array.from({ length: 10 }, (_, i) => async () => {
        const result = await run(`echo ${i}; exit ${i}`, { kind, timeoutMs: LONG_MS });
        assert.deepEqual(result, { kind: 'exited', exitCode: i, output: `${i}\n` });
      }),
    ),
    ...units.map((unit) => async () => {
      assert.deepEqual(await services.call('restart', unit, LONG_MS, never), { kind: 'done' }, unit);
    }),
    ...Array.from({ length: 20 }, () => async () => {
      const told = await pid1.withLink(limit, (link) => readProperties(link, 'basic.target', names, limit));
      assert(told.kind === 'reached' && told.value.kind === 'known', JSON.stringify(told));
      assert.equal(textOf(told.value.values, 'ActiveState'), 'active');
    }),
    async () => {
      const launched = await programs.launch(launch, 200, never);
      assert.deepEqual(launched, { kind: 'launched', pid: await pid('launched') });
    },
  ]);
  await Promise.all(asked);
}

/** Calls them one in each turn of the loop: what we do at once is not what holds it up. */
async function paced<T>(actions: readonly (() => Promise<T>)[]): Promise<Promise<T>[]> {
  const begun: Promise<T>[] = [];
  for (const action of actions) {
    begun.push(action());
    await breathe();
  }
  return begun;
}
