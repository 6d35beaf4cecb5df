import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge, shownCode, subjectOf } from '../../../../src/cli/status/judge.ts';
import { processStateNames } from '../../../../src/control/process-state.ts';
import type { DaemonStatus, ProcessStatus } from '../../../../src/control/status.ts';
import { someDetails, someProcess, someStatus } from '../../../helpers/scripted-orders.ts';

const now = new Date();
const ended = { at: now.toISOString(), cause: 'exit code 1', uptimeMs: 5, expected: false };
const gone = { runs: false, stopped: false, pid: 7, since: null, exits: 1, lastExit: ended } as const;
const open = { state: 'open', failures: 5, remainingMs: 1000 } as const;
const away = { ...someStatus().store, state: 'unknown', reason: 'no route', alarms: null } as const;

/** Code and lines of a status with these processes. */
function verdict(
  processes: readonly Partial<ProcessStatus>[],
  changes: Partial<DaemonStatus> = {},
): [number, readonly string[]] {
  const { exitCode, lines } = judge(someStatus({ ...changes, processes: processes.map(someProcess) }), now);
  return [exitCode, lines];
}

describe('status --check', () => {
  const well: [string, Partial<ProcessStatus>][] = [
    ['at rest', {}],
    ['ok', { state: 'ok', watched: { ...gone, runs: true, since: now.toISOString() } }],
    ['stopped on purpose', { state: 'quiet', watched: { ...gone, stopped: true } }],
    ['held and down', { state: 'held', watched: gone }],
    ['being restarted, without an alarm', { state: 'recovering', watched: gone }],
    ['half-open', { breaker: { ...open, state: 'half_open' } }],
    ['failures that did not open it', { breaker: { ...open, state: 'closed' } }],
    ['not to be started again', { concern: 'as root' }],
  ];
  for (const [what, process] of well) it(`finds it well: ${what}`, () => assert.deepEqual(verdict([process, {}]), [0, []]));

  it('says nothing of a check that has not looked yet, unless an earlier one was failing', () => {
    const check = {
      name: 'nightly',
      type: 'command',
      process: null,
      state: 'unknown',
      isWarning: false,
      since: now.toISOString(),
      lookedAt: null,
    } as const;
    assert.deepEqual(verdict([], { checks: [{ ...check, reason: 'not looked yet' }] }), [0, []]);
    const failed = 'not looked yet (it was failing)';
    assert.deepEqual(verdict([], { checks: [{ ...check, reason: failed }] }), [69, [`check nightly: unknown (${failed})`]]);
  });

  const faults: [Partial<ProcessStatus>, string][] = [
    [{ inAlarm: true, state: 'alarm', reason: 'next in 5 s\u001b' }, 'nginx: in alarm (next in 5 s?)'],
    [{ inAlarm: true, state: 'held' }, 'nginx: in alarm'],
    [{ inAlarm: true, state: 'recovering' }, 'nginx: in alarm'],
    [{ inAlarm: true, state: 'observed' }, 'nginx: in alarm'],
    [{ inAlarm: true, state: 'waiting', alarmKept: true }, 'nginx: in alarm'],
    [{ state: 'open', breaker: open }, 'nginx: circuit breaker open'],
    [{ state: 'held', breaker: open }, 'nginx: circuit breaker open'],
    [{ state: 'down', watched: gone }, 'nginx: down'],
    [{ state: 'down', watched: { ...gone, lastExit: null } }, 'nginx: down'],
    [{ state: 'refused', watched: gone }, 'nginx: down, refused'],
    [{ state: 'failed', watched: gone, reason: 'why' }, 'nginx: down, last recovery failed (why)'],
    [{ state: 'failed' }, 'nginx: last recovery failed'],
    [{ state: 'failed', reason: 'the last recovery failed: exit code 3' }, 'nginx: last recovery failed (exit code 3)'],
    [{ state: 'refused' }, 'nginx: refused'],
    [{ name: 'web ', state: 'refused' }, '"web ": refused'],
  ];
  for (const [process, line] of faults)
    it(`ends with 1: ${process.state}, ${line}`, () => assert.deepEqual(verdict([{}, process]), [1, [line]]));

  it('ends with 1 for alarms that are in the line of no process, and not for one process', () => {
    const store = { ...someStatus().store, nameless: 2 };
    const line = 'alarm store: 2 rows in alarm without a name in PROCESE, and so never healed';
    assert.deepEqual(verdict([{}], { store }), [1, [line]]);
    assert.deepEqual(judge(subjectOf(someDetails({ store })), now), { lines: [], exitCode: 0 });
  });

  it('ends with 1 if the daemon cannot save what it remembers', () => {
    const line = 'state_dir: state.db cannot be used (full): breakers, holds and history are lost when the daemon ends';
    assert.deepEqual(verdict([{}], { unsaved: 'state.db cannot be used (full)' }), [1, [line]]);
    assert.deepEqual(verdict([{}], { unsaved: null }), [0, []]);
  });

  it('ends with 69 for what is not known, and says what', () => {
    const unknown = { state: 'unknown', inAlarm: null, reason: 'why' } as const;
    assert.deepEqual(verdict([unknown]), [69, ['nginx: unknown (why)']]);
    assert.deepEqual(verdict([{ ...unknown, inAlarm: false }]), [69, ['nginx: unknown (why)']]);
    const row = { processId: '12', notes: null, since: null, acknowledged: false };
    const [code, lines] = verdict([unknown, { ...unknown, name: 'web', rows: [row] }], { store: away });
    assert.equal(code, 69);
    assert.match(lines[0] ?? '', /^alarm store: .*: alarms unknown for .*: no route; /);
    assert.deepEqual(lines.slice(1), ['web: was in alarm when the store was read last']);
    assert.equal(verdict([], { store: away })[0], 69);
    assert.equal(verdict([], { store: { ...away, state: 'starting' } })[0], 69);
  });

  it('lists a process once, with all that is known about it', () => {
    const row = { processId: '12', notes: null, since: null, acknowledged: false };
    const failed = { state: 'failed', inAlarm: null, rows: [row], reason: 'exit code 3' } as const;
    const lines = verdict([failed, { ...failed, name: 'web', rows: [] }], { store: away })[1];
    assert.deepEqual(lines.slice(1), [
      'nginx: last recovery failed, was in alarm when the store was read last (exit code 3)',
      'web: last recovery failed (exit code 3)',
    ]);
    const doubtful = { state: 'unknown', inAlarm: null, reason: 'why', breaker: open } as const;
    assert.deepEqual(verdict([doubtful]), [69, ['nginx: circuit breaker open, unknown (why)']]);
  });

  it('has 3 before 69 before 1, and reports all', () => {
    const fault = { state: 'down', watched: gone } as const;
    const [code, lines] = verdict([fault], { store: away });
    assert.deepEqual([code, lines.length, lines.at(-1)], [69, 2, 'nginx: down']);
    const [offline, all] = verdict([fault], { store: away, pid: 0 });
    assert.deepEqual([offline, all.length, all[0]], [3, 3, 'no daemon runs: nothing is restarted']);
    assert.deepEqual(verdict([], { pid: 0 }), [3, ['no daemon runs: nothing is restarted']]);
  });

  it('of every word that is red says that it is not well', () => {
    for (const state of processStateNames) {
      const process = { state, watched: gone, breaker: state === 'open' ? open : someProcess().breaker };
      const inAlarm = state === 'alarm' || state === 'observed' || state === 'waiting';
      const expected = ['recovering', 'held'].includes(state) ? 0 : state === 'unknown' ? 69 : 1;
      const meant = state === 'ok' || state === 'quiet';
      assert.equal(verdict([meant ? { state } : { ...process, inAlarm }])[0], meant ? 0 : expected, state);
    }
  });

  it('of one process judges that one, whose alarm may be known though the store is away', () => {
    const of = (process: Partial<ProcessStatus>, store = someStatus().store as DaemonStatus['store']) =>
      judge(subjectOf(someDetails({ process: someProcess(process), store })), now).exitCode;
    assert.equal(of({}), 0);
    assert.equal(of({ inAlarm: true, state: 'alarm' }), 1);
    assert.equal(of({ inAlarm: null, state: 'unknown' }, away), 69);
    assert.equal(of({ inAlarm: true, alarmKept: true, state: 'alarm' }, away), 1);
  });
});

describe('status that only shows', () => {
  it('ends with 0, with 69 if alarms are unknown, with 3 if no daemon runs', () => {
    const code = (changes: Partial<DaemonStatus>) => shownCode(someStatus(changes));
    const fault = someProcess({ state: 'alarm', inAlarm: true, breaker: open });
    assert.equal(code({ processes: [fault] }), 0);
    assert.equal(code({ processes: [fault], store: away }), 69);
    assert.equal(code({ processes: [someProcess({ inAlarm: null, state: 'open' })] }), 69);
    assert.equal(code({ processes: [someProcess({ inAlarm: false, state: 'unknown' })] }), 0);
    assert.equal(code({ processes: [fault], store: away, pid: 0 }), 3);
  });
});
