import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeState } from '../../../src/app/judge-state.ts';
import { type ProcessState, processStateNames } from '../../../src/control/process-state.ts';

/** Nothing to tell. */
type StateFacts = Parameters<typeof judgeState>[0];

const quiet: StateFacts = {
  recovering: false,
  refusal: undefined,
  breaker: 'closed',
  breakerReason: undefined,
  hold: undefined,
  awaited: [],
  inAlarm: false,
  alarmUnknown: undefined,
  observeOnly: false,
  alarmReason: undefined,
  failure: undefined,
  watch: { kind: 'unwatched' },
  daemonRuns: true,
};

/** What makes each word the one, with the sentence that goes with it. */
const conditions: Record<ProcessState, readonly [facts: Partial<StateFacts>, reason: string | null]> = {
  recovering: [{ recovering: true, inAlarm: true }, null],
  refused: [{ refusal: 'a.service is masked' }, 'a.service is masked'],
  open: [{ breaker: 'open', breakerReason: '3 failed recoveries' }, '3 failed recoveries'],
  held: [{ hold: 'on hold until released' }, 'on hold until released'],
  waiting: [{ awaited: ['db', 'cache'], inAlarm: true }, 'waits for db, cache'],
  observed: [{ inAlarm: true, observeOnly: true, alarmReason: 'mode = observe' }, 'mode = observe'],
  alarm: [{ inAlarm: true, alarmReason: 'healed, not cleared' }, 'healed, not cleared'],
  failed: [{ failure: 'the last recovery failed: exit code 1' }, 'the last recovery failed: exit code 1'],
  down: [{ watch: { kind: 'down', reason: 'ended: signal SIGKILL' } }, 'ended: signal SIGKILL'],
  unknown: [{ inAlarm: null, alarmUnknown: 'not read yet' }, 'not read yet'],
  ok: [{ watch: { kind: 'runs' } }, null],
  quiet: [{}, null],
};

test('every word has its condition and its sentence', () => {
  for (const [state, [facts, reason]] of Object.entries(conditions))
    assert.deepEqual(judgeState({ ...quiet, ...facts }), { state, reason });
  assert.deepEqual(Object.keys(conditions), processStateNames);
});

test('of two words whose conditions both hold, the one that stands higher in the table is shown', () => {
  for (const [i, higher] of processStateNames.entries())
    for (const lower of processStateNames.slice(i + 1)) {
      // One process cannot be in alarm and not, run and not run, or wait while it is being restarted.
      if (higher === 'recovering' && lower === 'waiting') continue;
      const facts = { ...quiet, ...conditions[lower][0], ...conditions[higher][0] };
      assert.equal(judgeState(facts).state, higher, `${higher} before ${lower}`);
    }
});

test('what runs is watched by nobody while no daemon runs', () => {
  const runs = { ...quiet, watch: { kind: 'runs' } as const, daemonRuns: false };
  assert.deepEqual(judgeState(runs), { state: 'quiet', reason: 'runs, and no daemon watches it' });
});

test('a recovery that waits for another process, or for another supervisor, is waiting', () => {
  const waiting = { ...quiet, inAlarm: true, recovering: true, awaited: ['supervisord (pid 12)'] };
  assert.deepEqual(judgeState(waiting), { state: 'waiting', reason: 'waits for supervisord (pid 12)' });
});

test('what is not known is never green, and what does not run is not either', () => {
  const unknownWatch: StateFacts['watch'] = { kind: 'unknown', reason: 'whether it runs is not known' };
  const runs: StateFacts['watch'] = { kind: 'runs' };
  const down: StateFacts['watch'] = { kind: 'down', reason: 'ended' };
  const stopped: StateFacts['watch'] = { kind: 'stopped', reason: 'stopped on purpose' };
  for (const [facts, state] of [
    [{ inAlarm: null, watch: runs }, 'unknown'],
    [{ inAlarm: null, watch: down }, 'down'],
    [{ inAlarm: null, watch: stopped }, 'unknown'],
    [{ inAlarm: null, watch: { kind: 'unwatched' } }, 'unknown'],
    [{ watch: unknownWatch }, 'unknown'],
    [{ watch: stopped }, 'quiet'],
    [{ watch: down, hold: 'on hold' }, 'held'],
    [{ watch: down, failure: 'the last recovery failed: x' }, 'failed'],
    [{ inAlarm: null, failure: 'the last recovery failed: x' }, 'failed'],
    [{ inAlarm: null, alarmReason: 'healed, not cleared', watch: runs }, 'unknown'],
  ] as const)
    assert.equal(judgeState({ ...quiet, ...facts }).state, state, JSON.stringify(facts));
});

test('the sentence names what else there is to know, each once', () => {
  const open = { ...quiet, breaker: 'open', breakerReason: '3 failed recoveries', hold: 'on hold', awaited: ['db'] } as const;
  assert.equal(judgeState({ ...open, alarmReason: 'on hold' }).reason, '3 failed recoveries; on hold; waits for db');
  const failed = { ...quiet, failure: 'the last recovery failed: x', inAlarm: null, alarmUnknown: 'not read yet' } as const;
  assert.equal(
    judgeState({ ...failed, watch: { kind: 'down', reason: 'ended: exit code 1' } }).reason,
    'the last recovery failed: x; ended: exit code 1; not read yet',
  );
  for (const facts of [{ inAlarm: true }, { recovering: true }, { awaited: ['db'] }])
    assert.match(judgeState({ ...quiet, ...facts, breaker: 'half_open' }).reason ?? '', /circuit breaker is half open/);
});
