import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeByUnit, type ProcessDeath } from '../../../../../src/detectors/exits/death/verdict.ts';
import type { UnitStatus } from '../../../../../src/system/systemd/service-manager.ts';
import { noUnit } from '../../../../helpers/fake-systemd.ts';

const FORGOTTEN: UnitStatus = { ...noUnit, id: 'run-1.service', loadState: 'not-found' };
const DEATH: ProcessDeath = { pid: 4711, status: 256, uptimeMs: 1000, at: new Date() };

/** What the death of the unit's main process is, as the unit stands. */
function verdict(unit: Partial<UnitStatus>, meant: Parameters<typeof judgeByUnit>[1] = 'unit'): string {
  return judgeByUnit({ ...noUnit, id: 'x.service', ...unit }, meant, DEATH, () => false).kind;
}

test('a unit that has failed raises an alarm; one that was stopped does not, whatever its program ended with', () => {
  assert.equal(verdict({ activeState: 'inactive', result: 'success' }), 'expected');
  // `timeout`: it had to be killed at the end of its time.
  for (const result of ['exit-code', 'signal', 'core-dump', 'timeout']) {
    assert.equal(verdict({ activeState: 'failed', result }), 'alarm');
    assert.equal(verdict({ activeState: 'failed', result, endedByStop: true }), 'expected');
  }
  // systemd stopped it for these.
  for (const result of ['watchdog', 'oom-kill'])
    assert.equal(verdict({ activeState: 'failed', result, endedByStop: true }), 'alarm');
});

test('between the halves of a restart nothing is known', () => {
  for (const activeState of ['failed', 'inactive', 'active', 'deactivating'])
    assert.equal(verdict({ activeState, result: 'exit-code', hasJob: true }), 'wait');
});

test('a unit that stays active without its last process is an alarm, unless it is a oneshot that was there for no process, or has something to do', () => {
  const exited = { activeState: 'active', subState: 'exited' };
  for (const type of ['forking', 'simple', 'notify']) {
    assert.equal(verdict({ ...exited, type }), 'alarm', type);
    assert.equal(verdict({ ...exited, type, hasJob: true }), 'wait', type);
    // systemd has not seen its end yet.
    assert.equal(verdict({ ...exited, type, subState: 'running' }), 'wait', type);
  }
  assert.equal(verdict({ ...exited, type: 'oneshot' }), 'expected');
  assert.equal(verdict({ ...exited, type: 'oneshot' }, 'hollow'), 'alarm');
  assert.equal(verdict({ ...exited, type: 'oneshot', hasJob: true }, 'hollow'), 'wait');
});

test('a main process that is gone while its reload is under way is waited for, not for ever', () => {
  const unit = { ...noUnit, id: 'x.service', activeState: 'reloading', hasJob: true };
  const verdict = judgeByUnit(unit, 'unit', DEATH, () => false);
  assert.deepEqual(verdict, { kind: 'wait', why: 'x.service is reloading without it', atMostMs: 10_000 });
  assert.equal(judgeByUnit({ ...unit, mainPid: 4712 }, 'unit', DEATH, () => true).kind, 'wait');
});

test('a transient unit that systemd has forgotten was stopped, unless its program is known to have failed', () => {
  const of = (status: number | undefined): string => judgeByUnit(FORGOTTEN, 'program', { ...DEATH, status }, () => false).kind;
  assert.deepEqual([0, 15, 11, undefined].map(of), ['expected', 'expected', 'alarm', 'expected']);
});
