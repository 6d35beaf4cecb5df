import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeathInquiry, type Judgement, judgeDeath } from '../../../../../src/detectors/exits/death/judgement.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import type { RunningProcesses } from '../../../../../src/system/systemd/running-processes.ts';
import type { UnitStatus } from '../../../../../src/system/systemd/service-manager.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { noUnit } from '../../../../helpers/fake-systemd.ts';
import { never } from '../../../../helpers/strategy-parts.ts';

const table = new ProcessTable();
const SELF = { pid: process.pid, startTime: table.read(process.pid, ['startTime'])?.startTime ?? 0 };

/** Judges a death with a supervisor that has 10 s and brings it back after `backMs`; the verdict, and after how long. */
async function judged(backMs: number, changes: Partial<DeathInquiry> = {}): Promise<[Judgement['kind'], number]> {
  const clock = new FakeClock();
  const begun = clock.monotonicMs();
  const find = async (): Promise<RunningProcesses> => {
    const passedMs = clock.monotonicMs() - begun;
    const leftMs = Math.max(0, 10_000 - passedMs);
    const processes = passedMs >= backMs ? [SELF] : [];
    const supervisor = { description: 'runsv (pid 7)', leftMs: processes.length > 0 ? 0 : leftMs };
    return { kind: 'found', key: 'zc', processes, unit: undefined, status: undefined, supervisor };
  };
  let judgement: Judgement | undefined;
  const death = { pid: 4711, status: 9, uptimeMs: 1000, at: clock.date() };
  const inquiry: DeathInquiry = {
    table,
    clock,
    isRecovering: () => false,
    pause: (ms) => clock.sleep(ms),
    find,
    showUnit: async () => undefined,
    onRestart: () => {},
    judgeStop: async () => ({ kind: 'expected', why: 'it was stopped' }),
    signal: never,
    ...changes,
  };
  void judgeDeath(death, inquiry).then((value) => {
    judgement = value;
  });
  await clock.until(() => judgement !== undefined);
  return [judgement?.kind ?? 'aborted', clock.monotonicMs() - begun];
}

test('what another supervisor has time to start again raises an alarm when that time is over, and not before', async () => {
  assert.deepEqual(await judged(Number.POSITIVE_INFINITY), ['alarm', 10_000]);
  const [kind, afterMs] = await judged(5000);
  assert.deepEqual([kind, afterMs >= 5000 && afterMs <= 7000], ['lives', true]);
});

test('a reload that hangs raises an alarm after ten seconds; each time that systemd waits to start it again is reported once', async () => {
  const status = (changes: Partial<UnitStatus>): UnitStatus => ({ ...noUnit, id: 's.service', ...changes });
  const found = (changes: Partial<UnitStatus>) => async (): Promise<RunningProcesses> => ({
    kind: 'found',
    key: 's',
    processes: [],
    unit: undefined,
    status: status(changes),
  });
  const [kind, afterMs] = await judged(0, { find: found({ activeState: 'reloading', hasJob: true }) });
  assert.deepEqual([kind, afterMs >= 10_000 && afterMs <= 12_000], ['alarm', true]);

  const rounds = [1, 1, 2, 2, 3].map((changedMs) => ({ activeState: 'activating', subState: 'auto-restart', changedMs }));
  const told: number[] = [];
  const find = async () => found(rounds.shift() ?? { activeState: 'failed', result: 'exit-code' })();
  assert.equal((await judged(0, { find, onRestart: ({ changedMs }) => told.push(changedMs) }))[0], 'alarm');
  assert.deepEqual(told, [1, 2, 3]);
});

test('what was stopped, or is being restarted by us, is not waited for; the supervisor’s own unit says nothing', async () => {
  const unit = (activeState: string, mainPid = 0): UnitStatus => ({
    ...noUnit,
    id: 's.service',
    activeState,
    result: 'success',
    mainPid,
  });
  assert.deepEqual(await judged(99_000, { showUnit: async () => unit('inactive') }), ['expected', 0]);
  assert.deepEqual(await judged(99_000, { isRecovering: () => true }), ['expected', 0]);
  assert.deepEqual(await judged(99_000, { showUnit: async () => unit('active', process.pid) }), ['alarm', 10_000]);
});
