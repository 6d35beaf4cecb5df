import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeStop } from '../../../../../src/detectors/exits/death/stop.ts';
import type { ProcessDeath } from '../../../../../src/detectors/exits/death/verdict.ts';
import type { UnitEnd, UnitStatus } from '../../../../../src/system/systemd/service-manager.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { endOf, noUnit } from '../../../../helpers/fake-systemd.ts';
import { never } from '../../../../helpers/strategy-parts.ts';

const SIGTERM = 15;
const SIGKILL = 9;
const clock = new FakeClock();
/** It lived for ten seconds, and died just now. */
const NOW = clock.monotonicMs();
const DEATH: ProcessDeath = { pid: 4711, status: SIGTERM, uptimeMs: 10_000, at: clock.date(), wasMain: true };

type Unit = Partial<Omit<UnitEnd, 'status'>> & { readonly status?: Partial<UnitStatus> };

/** What it means that u44.service is at rest, among units that stand so. */
async function judged(
  units: Readonly<Record<string, Unit>>,
  death: Partial<ProcessDeath> = {},
  recovering = '',
): Promise<string> {
  const verdict = await judgeStop(
    'u44.service',
    { ...DEATH, ...death },
    {
      services: {
        end: async (id) => {
          const { status, ...end } = units[id] ?? {};
          return { kind: 'known', end: endOf({ ...noUnit, id, ...status }, end) };
        },
      },
      clock,
      isUnitRecovering: (unit) => unit === recovering,
      signal: never,
    },
  );
  return verdict.kind === 'alarm' ? `alarm ${verdict.why ?? ''}`.trim() : verdict.kind;
}

const by = (hadJob: boolean | undefined, leftActiveMs = NOW - 5) => ({ seen: { leftActiveMs, hadJob } });

test('without a job it ended by itself: well, if its main process did', async () => {
  const itself = by(false);
  assert.equal(await judged({ 'u44.service': itself }), 'expected');
  assert.equal(await judged({ 'u44.service': itself }, { status: SIGKILL, wasMain: false }), 'alarm');
  assert.equal(await judged({ 'u44.service': itself }, { status: undefined, wasMain: false }), 'alarm');
  assert.equal(await judged({ 'u44.service': itself }, { status: SIGTERM, wasMain: false }), 'expected');
  // systemd takes that for a success (SuccessExitStatus=).
  assert.equal(await judged({ 'u44.service': itself }, { status: SIGKILL, wasMain: true }), 'expected');
  assert.equal(
    await judged({ 'u44.service': { ...itself, status: { type: 'oneshot' } } }, { status: SIGKILL, wasMain: false }),
    'expected',
  );
  const failed = { activeState: 'failed', result: 'timeout', endedByStop: true };
  assert.equal(await judged({ 'u44.service': { ...itself, status: failed } }), 'alarm');
  assert.equal(await judged({ 'u44.service': { ...by(true), status: failed } }), 'expected');
});

test('a job is an order, and so is what nobody saw', async () => {
  const killed = { status: SIGKILL, wasMain: false };
  assert.equal(await judged({ 'u44.service': by(true) }, killed), 'expected');
  assert.equal(await judged({ 'u44.service': by(undefined) }, killed), 'expected');
  assert.equal(await judged({}, killed), 'expected');
  // Of the life before, or before its last one.
  assert.equal(await judged({ 'u44.service': by(false, NOW - 10_001) }, killed), 'expected');
  assert.equal(await judged({ 'u44.service': { ...by(false), leftActiveMs: NOW - 1 } }, killed), 'expected');
});

test('what has begun to move again is waited for', async () => {
  assert.equal(await judged({ 'u44.service': { status: { activeState: 'active' } } }), 'wait');
  assert.equal(await judged({ 'u44.service': { status: { hasJob: true } } }), 'wait');
});

test('a job that comes from another unit is an order only if that one was stopped', async () => {
  const u44 = { ...by(true), stoppedWith: ['system.slice', 'u45.service'] };
  const withIt = 'alarm systemd stopped it with u45.service';
  const of = (u45: Unit, recovering = '') => judged({ 'u44.service': u44, 'u45.service': u45 }, {}, recovering);
  const went = { leftActiveMs: NOW - 6, wentMs: NOW - 6, hadMain: true };
  const failed: Unit = { ...went, status: { activeState: 'failed', result: 'signal' } };
  assert.equal(await of(failed), withIt);
  assert.equal(await of(failed, 'u45.service'), 'wait');
  // Long before.
  assert.equal(await of({ ...failed, leftActiveMs: NOW - 60_000, wentMs: NOW - 60_000 }), 'expected');
  assert.equal(await of({ ...went, ...by(true, went.leftActiveMs) }), 'expected');
  assert.equal(await of({ ...went, ...by(false, went.leftActiveMs) }), withIt);
  assert.equal(await of({ ...went, status: { endedByStop: true } }), 'expected');
  assert.equal(await of({ ...went, status: { activeState: 'failed', result: 'exit-code', endedByStop: true } }), 'expected');
  assert.equal(await of(went), withIt);
  // It was restarted, and has not come up; or systemd waits to restart it, since before u44 was stopped.
  const broken = { activeState: 'failed', result: 'exit-code', endedByStop: true };
  assert.equal(await of({ ...went, ...by(true, went.leftActiveMs), triedSince: true, status: broken }), withIt);
  assert.equal(await of({ ...went, triedSince: true, status: broken }, 'u45.service'), 'wait');
  assert.equal(await of({ ...went, triedSince: true, status: { endedByStop: true } }), 'expected');
  assert.equal(await of({ ...went, status: { activeState: 'activating', changedMs: NOW - 5.5 } }), withIt);
  // It was stopped, and is unloaded.
  assert.equal(await of({}), 'expected');
  assert.equal(await of({ status: { activeState: 'deactivating' } }), 'wait');
  assert.equal(await of({ status: { activeState: 'active', hasJob: true } }), 'wait');
  // It was restarted, and is up again: since then, or before u44 was stopped.
  assert.equal(await of({ ...went, status: { activeState: 'active', changedMs: NOW - 1 } }), withIt);
  assert.equal(await of({ ...went, status: { activeState: 'active', changedMs: NOW - 5.5 } }), 'expected');
  assert.equal(await of({ leftActiveMs: 0, status: { activeState: 'active', changedMs: NOW - 60_000 } }), 'expected');
});

test('along a chain of units the first one decides', async () => {
  const went = { leftActiveMs: NOW - 6, wentMs: NOW - 6 };
  const chain = (u46: Unit) => ({
    'u44.service': { ...by(true), stoppedWith: ['u45.target'] },
    'u45.target': { ...went, stoppedWith: ['u46.service', 'u44.service'], status: { result: '' } },
    'u46.service': { ...went, ...u46 },
  });
  assert.equal(
    await judged(chain({ status: { activeState: 'failed', result: 'signal' } })),
    'alarm systemd stopped it with u45.target',
  );
  assert.equal(await judged(chain({ status: { endedByStop: true } })), 'expected');
  const device = { 'u44.service': { ...by(true), stoppedWith: ['dev-sdb.device'] }, 'dev-sdb.device': went };
  assert.equal(await judged(device), 'alarm systemd stopped it with dev-sdb.device');
});
