import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { runJob } from '../../../../src/system/systemd/jobs.ts';
import type { ServiceCallResult } from '../../../../src/system/systemd/service-manager.ts';
import { FakePid1, type FakePid1Options, pause } from '../../../helpers/pid1/fake-pid1.ts';
import type { FakeServiceOptions, SkippedBy } from '../../../helpers/pid1/fake-unit.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const LONG = { timeoutMs: 30_000 };
const METHODS = { start: 'StartUnit', restart: 'RestartUnit', stop: 'StopUnit' } as const;
const WAYS: Readonly<Record<string, FakePid1Options>> = {
  'by its own socket': { privateOnly: true },
  'by the bus': { busOnly: true },
  'with systemd 239': { version: 239 },
};

for (const [way, options] of Object.entries(WAYS)) {
  test(`${way}: a unit is started, restarted and stopped`, async (t) => {
    const fake = FakePid1.open(t, options);
    const pid1 = fake.pid1();
    fake.add('a.service');
    assert.deepEqual(await runJob(pid1, 'start', 'a.service', LONG), { kind: 'done' });
    const first = fake.unit('a.service');
    assert.equal(first?.activeState, 'active');
    const { mainPid } = first;
    assert.deepEqual(await runJob(pid1, 'restart', 'a.service', LONG), { kind: 'done' });
    assert.notEqual(fake.unit('a.service')?.mainPid, mainPid);
    assert.deepEqual(await runJob(pid1, 'stop', 'a.service', LONG), { kind: 'done' });
    assert.equal(fake.unit('a.service'), undefined);
    // It is there already, or not there.
    assert.deepEqual(await runJob(pid1, 'stop', 'a.service', LONG), { kind: 'done' });
    await runJob(pid1, 'start', 'a.service', LONG);
    assert.deepEqual(await runJob(pid1, 'start', 'a.service', LONG), { kind: 'done' });
    assert.deepEqual(
      fake.callsOf('RestartUnit').map(({ values }) => values),
      [['a.service', 'replace']],
    );
    await runJob(pid1, 'stop', 'a.service', LONG, 'ignore-dependencies');
    assert.deepEqual(fake.callsOf('StopUnit').at(-1)?.values, ['a.service', 'ignore-dependencies']);
  });

  test(`${way}: how a job failed, in words`, async (t) => {
    const fake = FakePid1.open(t, options);
    const pid1 = fake.pid1();
    const words: Readonly<Record<string, string>> = {
      failed: 'failed (exit-code): its main process ended with exit code 3, see journalctl -u a.service',
      canceled: 'its job was cancelled: somebody else started or stopped it meanwhile, see journalctl -u a.service',
      collected: 'its job was dropped: systemd has unloaded the unit meanwhile',
      timeout: 'its job reached its JobTimeoutSec, see journalctl -u a.service',
      dependency: 'a unit that it needs could not be started, see systemctl list-dependencies a.service',
      skipped: 'systemd skipped its job: one of its conditions is not met, see systemctl status a.service',
      assert: 'one of its assertions does not hold, see systemctl status a.service',
      invalid: 'this unit has no such job, see systemctl status a.service',
      unsupported: 'this system cannot run units of its type, see systemctl status a.service',
      once: 'it was started before and runs only once per boot, see systemctl status a.service',
      frozen: 'its job ended as "frozen", see journalctl -u a.service',
    };
    for (const [result, reason] of Object.entries(words)) {
      fake.add('a.service', { plan: (verb) => (verb === 'stop' ? {} : { result, status: 3 }) });
      for (const verb of ['start', 'restart'] as const)
        assert.deepEqual(await runJob(pid1, verb, 'a.service', LONG), { kind: 'failed', reason }, `${verb} ${result}`);
      await runJob(pid1, 'stop', 'a.service', LONG);
    }
    fake.add('b.service', { state: 'active', plan: () => ({ result: 'canceled' }) });
    const stopped = await runJob(pid1, 'stop', 'b.service', LONG);
    assert.ok(stopped.kind === 'failed' && stopped.reason.startsWith('its job was cancelled'));
    fake.add('c.service', { state: 'active', plan: () => ({ result: 'skipped' }) });
    assert.deepEqual(await runJob(pid1, 'stop', 'c.service', LONG), { kind: 'done' });
  });

  test(`${way}: what systemd refuses, in its words`, async (t) => {
    const fake = FakePid1.open(t, options);
    const pid1 = fake.pid1();
    fake.add('masked.service', { loadState: 'masked' });
    const refusals: readonly (readonly [Parameters<typeof runJob>[1], string, string])[] = [
      ['start', 'no.service', 'Unit no.service not found.'],
      ['stop', 'no.service', 'Unit no.service not loaded.'],
      ['restart', 'masked.service', 'Unit masked.service is masked.'],
      ['start', 'a b', 'Unit name a b is not valid.'],
    ];
    for (const [verb, unit, reason] of refusals)
      assert.deepEqual(await runJob(pid1, verb, unit, LONG), { kind: 'failed', reason });
  });

  test(`${way}: the job's end may be reported before the answer, late, twice, and among those of others`, async (t) => {
    const fake = FakePid1.open(t, options);
    const pid1 = fake.pid1();
    fake.add('good.service');
    fake.add('bad.service', { plan: () => ({ result: 'failed' }) });
    const orders: readonly FakePid1['arrange'][] = [
      (items) => items.toSorted((a, b) => Number(b.member === 'JobRemoved') - Number(a.member === 'JobRemoved')),
      (items) => items.toSorted((a, b) => Number(b.kind === 'reply') - Number(a.kind === 'reply')),
      (items) => items.flatMap((item) => [item, item]),
      (items) => items.flatMap((item) => [item, pause]),
      (items) => items.filter(({ member }) => member !== 'PropertiesChanged'),
      (items) => items.toReversed(),
    ];
    for (const order of orders) {
      fake.arrange = order;
      const results = await Promise.all([
        runJob(pid1, 'restart', 'good.service', LONG),
        runJob(pid1, 'restart', 'bad.service', LONG),
        runJob(pid1, 'start', 'bad.service', LONG),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ['done', 'failed', 'failed'],
      );
    }
  });

  test(`${way}: at its limit it is given up, and the job stays systemd's`, async (t) => {
    const fake = FakePid1.open(t, options);
    const pid1 = fake.pid1();
    fake.add('a.service', { plan: () => ({ held: true }) });
    const result = await runJob(pid1, 'start', 'a.service', { timeoutMs: 200 });
    assert.ok(result.kind === 'failed');
    assert.match(result.reason, /^its job is not done after 0\.[12] s/);
    assert.ok(fake.unit('a.service')?.job);
    fake.finish('a.service');
    assert.equal(fake.unit('a.service')?.activeState, 'active');
  });

  test(`${way}: an abort ends the wait, and leaves nothing at the signal`, async (t) => {
    const fake = FakePid1.open(t, options);
    fake.add('a.service', { plan: () => ({ held: true }) });
    const abort = new AbortController();
    const running = runJob(fake.pid1(), 'start', 'a.service', { ...LONG, signal: abort.signal });
    await waitFor('a job', () => fake.unit('a.service')?.job);
    abort.abort();
    assert.deepEqual(await running, { kind: 'failed', reason: 'aborted' });
    assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
    fake.finish('a.service');
  });

  for (const phase of [
    'before the call is read',
    'before it is answered',
    'in the answer',
    'after it',
    'while the job runs',
  ] as const) {
    test(`${way}: a connection lost ${phase}: never is a job that failed called done`, async (t) => {
      const fake = FakePid1.open(t, options);
      const pid1 = fake.pid1();
      // Not all at once: on a bus so many calls may wait for an answer.
      for (const state of ['active', 'inactive'] as const) {
        const jobs = allJobs(fake, state, phase === 'while the job runs');
        lose(fake, phase, jobs.length);
        const results = await Promise.all(jobs.map(({ verb, unit }) => runJob(pid1, verb, unit, LONG)));
        for (const [index, job] of jobs.entries())
          check(fake, job, results[index] ?? assert.fail(), phase !== 'before the call is read');
      }
    });
  }

  for (const phase of ['before it is answered', 'in the answer', 'after it', 'while the job runs']) {
    test(`${way}: a restart that was carried out although the connection was lost ${phase} is found`, async (t) => {
      const fake = FakePid1.open(t, options);
      const unit = 'active-restart-done-simple.service';
      const { mainPid } = fake.add(unit, { state: 'active', plan: () => ({ held: phase === 'while the job runs' }) });
      lose(fake, phase, 1);
      assert.deepEqual(await runJob(fake.pid1(), 'restart', unit, LONG), { kind: 'done' });
      assert.notEqual(fake.unit(unit)?.mainPid, mainPid);
    });
  }

  test(`${way}: a job that is under way still when systemd is back is waited for`, async (t) => {
    const fake = FakePid1.open(t, options);
    const pid1 = fake.pid1();
    fake.add('good.service', { plan: () => ({ held: true }) });
    fake.add('bad.service', { plan: () => ({ held: true }) });
    const results = Promise.all(['good.service', 'bad.service'].map((unit) => runJob(pid1, 'start', unit, LONG)));
    await waitFor('both jobs', () => fake.unit('good.service')?.job && fake.unit('bad.service')?.job);
    fake.goAway();
    setImmediate(() => fake.comeBack());
    const seen = fake.calls.length;
    await waitFor('a look at it', () => fake.calls.slice(seen).some(({ member }) => member === 'Get'));
    // And lost once more.
    fake.cut();
    fake.finish('good.service');
    fake.finish('bad.service', { result: 'failed', status: 7 });
    assert.deepEqual(await results, [
      { kind: 'done' },
      { kind: 'failed', reason: 'failed (exit-code): its main process ended with exit code 7, see journalctl -u bad.service' },
    ]);
  });

  test(`${way}: a job that is under way still at the limit, after a connection was lost`, async (t) => {
    const fake = FakePid1.open(t, options);
    fake.add('a.service', { plan: () => ({ held: true }) });
    const running = runJob(fake.pid1(), 'start', 'a.service', { timeoutMs: 700 });
    await waitFor('a job', () => fake.unit('a.service')?.job);
    fake.cut();
    const result = await running;
    assert.ok(result.kind === 'failed');
    assert.match(result.reason, /^its job is not done after [\d.]+ s|^systemd does not answer$/);
    fake.finish('a.service');
  });
}

for (const isSignalled of [true, false])
  test(`a start that systemd skips is not done, ${isSignalled ? 'as its signals say' : 'as its properties say if no signal came'}`, async (t) => {
    const fake = FakePid1.open(t);
    const pid1 = fake.pid1();
    if (!isSignalled) fake.arrange = (items) => items.filter(({ member }) => member !== 'PropertiesChanged');
    const skipped = {
      condition: 'ConditionPathExists=/run/ok is not met',
      'exec-condition': 'its ExecCondition= refused the start',
    };
    for (const [skippedBy, reason] of Object.entries(skipped) as [SkippedBy, string][])
      for (const verb of ['start', 'restart'] as const) {
        const unit = `${skippedBy}-${verb}.service`;
        fake.add(unit, { stays: true, plan: () => ({ skippedBy }) });
        assert.deepEqual(await runJob(pid1, verb, unit, LONG), {
          kind: 'failed',
          reason: `systemd skipped its start: ${reason}, see systemctl status ${unit}`,
        });
      }
    // What has done its work and rests was not skipped.
    fake.add('b.service', { type: 'oneshot', stays: true });
    assert.deepEqual(await runJob(pid1, 'start', 'b.service', LONG), { kind: 'done' });
    fake.add('c.service');
    assert.deepEqual(await runJob(pid1, 'start', 'c.service', LONG), { kind: 'done' });
  });

test('a silent PID 1 is asked for nothing', async (t) => {
  const fake = FakePid1.open(t);
  fake.add('a.service');
  fake.hush();
  assert.deepEqual(await runJob(fake.pid1(), 'start', 'a.service', { timeoutMs: 100 }), {
    kind: 'failed',
    reason: 'systemd does not answer',
  });
  fake.speak();
  assert.deepEqual(fake.callsOf('StartUnit'), []);
});

test('a PID 1 that falls silent once it has been asked', async (t) => {
  const fake = FakePid1.open(t);
  fake.add('a.service');
  fake.intercept = ({ member }) => {
    if (member === 'StartUnit') fake.hush();
    return false;
  };
  assert.deepEqual(await runJob(fake.pid1(), 'start', 'a.service', { timeoutMs: 300 }), {
    kind: 'failed',
    reason: 'systemd does not answer',
  });
  fake.speak();
});

test('a silence in the middle is got over', async (t) => {
  const fake = FakePid1.open(t);
  fake.add('a.service', { plan: () => ({ result: 'failed', status: 4 }) });
  let isFirst = true;
  fake.intercept = ({ member }) => {
    if (member === 'StartUnit' && isFirst) {
      fake.hush();
      setTimeout(() => fake.speak(), 50);
      isFirst = false;
    }
    return false;
  };
  assert.deepEqual(await runJob(fake.pid1(), 'start', 'a.service', LONG), {
    kind: 'failed',
    reason: 'failed (exit-code): its main process ended with exit code 4, see journalctl -u a.service',
  });
});

test('a PID 1 that does not come back', async (t) => {
  const fake = FakePid1.open(t);
  fake.add('a.service', { plan: () => ({ held: true }) });
  const running = runJob(fake.pid1(), 'start', 'a.service', { timeoutMs: 700 });
  await waitFor('a job', () => fake.unit('a.service')?.job);
  fake.goAway();
  fake.bus?.stop();
  const result = await running;
  assert.ok(result.kind === 'failed');
  assert.match(result.reason, /^the connection to systemd was lost meanwhile: cannot connect to systemd: /);
});

test('a restart that never was: the old life continues', async (t) => {
  const fake = FakePid1.open(t);
  fake.add('a.service', { state: 'active' });
  fake.intercept = ({ member }) => {
    if (member === 'RestartUnit') fake.cut();
    return member === 'RestartUnit';
  };
  const result = await runJob(fake.pid1(), 'restart', 'a.service', LONG);
  assert.ok(result.kind === 'failed');
  assert.match(result.reason, /: how it ended is not known, and a\.service is active$/);
});

test('a unit that fails again after the job was done is not called well', async (t) => {
  const fake = FakePid1.open(t);
  fake.add('a.service', { plan: () => ({ held: true }) });
  const running = runJob(fake.pid1(), 'start', 'a.service', LONG);
  await waitFor('a job', () => fake.unit('a.service')?.job);
  fake.goAway();
  fake.finish('a.service');
  fake.change('a.service', (unit) => {
    unit.end(2, 11);
    unit.enter('failed', 'failed');
  });
  fake.comeBack();
  assert.deepEqual(await running, {
    kind: 'failed',
    reason: 'failed (signal): its main process was killed by SIGSEGV, see journalctl -u a.service',
  });
});

interface Job {
  readonly unit: string;
  readonly verb: Parameters<typeof runJob>[1];
  readonly result: string;
  readonly options: FakeServiceOptions;
  /** Which life it was before. */
  readonly before: string;
}

const RESULTS = ['done', 'failed', 'dependency', 'canceled', 'timeout', 'skipped'] as const;

/** One unit in that state for each verb, result and type. */
function allJobs(fake: FakePid1, state: 'active' | 'inactive', held: boolean): Job[] {
  const jobs: Job[] = [];
  for (const verb of ['start', 'restart', 'stop'] as const)
    for (const result of RESULTS)
      for (const kind of ['simple', 'oneshot', 'restarts'] as const) {
        const unit = `${state}-${verb}-${result}-${kind}.service`;
        const options: FakeServiceOptions = {
          state,
          type: kind === 'oneshot' ? 'oneshot' : 'simple',
          restarts: kind === 'restarts',
          plan: () => ({ result, held }),
        };
        const before = fake.add(unit, options).invocation.toString('hex');
        jobs.push({ unit, verb, result, options, before });
      }
  return jobs;
}

/** Lets the connection end at that moment of all these jobs, and PID 1 come back soon. */
function lose(fake: FakePid1, phase: string, count: number): void {
  let asked = 0;
  let isOver = false;
  const away = (): void => {
    isOver = true;
    fake.goAway();
    setImmediate(() => fake.comeBack());
  };
  fake.intercept = ({ member }) => {
    if (isOver || !Object.values<string>(METHODS).includes(member)) return false;
    asked++;
    if (phase !== 'before the call is read') return false;
    if (asked === count) away();
    return true;
  };
  fake.arrange = (items) => {
    if (isOver || !items.some(({ kind, member }) => kind === 'reply' && Object.values<string>(METHODS).includes(member)))
      return items;
    const isLast = asked === count;
    switch (phase) {
      case 'before it is answered':
        if (isLast) setImmediate(away);
        return [];
      case 'in the answer':
        if (isLast) {
          fake.cut({ inMessage: true });
          isOver = true;
        }
        return isLast ? items : [];
      case 'after it':
        if (isLast) setImmediate(away);
        return items.filter(({ member }) => member !== 'JobRemoved');
      case 'while the job runs':
        if (isLast)
          setImmediate(() => {
            away();
            for (const { unit, result } of heldJobs(fake)) fake.finish(unit, { result });
          });
        return items;
      default:
        return items;
    }
  };
}

function heldJobs(fake: FakePid1): { readonly unit: string; readonly result: string }[] {
  return fake.calls
    .filter(({ member }) => Object.values<string>(METHODS).includes(member))
    .map(({ values }) => String(values[0]))
    .filter((unit) => fake.unit(unit)?.job !== undefined)
    .map((unit) => ({ unit, result: unit.split('-')[2] ?? '' }));
}

/** `done` is right only where the unit is as it was wanted; and where nothing was done it is not told apart from before. */
function check(fake: FakePid1, { unit, verb, result, options, before }: Job, told: ServiceCallResult, wasDone: boolean): void {
  const now = fake.unit(unit);
  const isDown = now === undefined || now.activeState === 'inactive' || now.activeState === 'failed';
  const isNew = now !== undefined && now.invocation.toString('hex') !== before;
  const hasWorked = options.type === 'oneshot' && result === 'done' && wasDone;
  const isUp = now?.activeState === 'active';
  const isRight = verb === 'stop' ? isDown : hasWorked || (isUp && (verb === 'start' || isNew));
  const line = `${unit} is ${now?.activeState} (${now?.subState}), told as ${JSON.stringify(told)}`;
  if (told.kind === 'done') assert.ok(isRight, line);
  // Nobody can tell how a oneshot went that systemd has forgotten, nor a restart where the life before it was not told any more.
  else assert.ok(!isRight || hasWorked || (verb === 'restart' && told.reason.includes(UNSEEN)), line);
}

const UNSEEN = 'how it ended is not known, and ';
