import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { buildStatus, statusOfOne } from '../../../src/app/status.ts';
import { followStatus } from '../../../src/app/status-line.ts';
import type { ManagedProcess } from '../../../src/core/alarm.ts';
import { LastRecoveries } from '../../../src/monitor/history/last-recoveries.ts';
import type { StoreAvailability } from '../../../src/monitor/poll/store-watch.ts';
import { ordersOf } from '../../helpers/bound-orders.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { statusLine } from '../../helpers/status-line.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const web: ManagedProcess = { processId: '1', processName: 'web', systemName: 'web', systemNameConfigured: false };

/** The line, and how it is told from now on. */
function followed(core: Core): { readonly last: () => string; readonly all: readonly string[] } {
  const all: string[] = [];
  followStatus(core, { status: (line) => void all.push(line) });
  return { last: () => all.at(-1) ?? '', all };
}

test('the line of systemctl status names what keeps restarts from happening, as soon as that changes', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.web]\n[process.broken]\nrestart_strategy = custom\n');
  const { last, all } = followed(core);
  assert.equal(last(), 'alarms unknown, 0 recovering, 1 refused, db not asked yet');
  addRows(dir, ['web'], false);
  await core.monitor.look();
  await waitFor('the store is read', () => last() === '0 in alarm, 0 recovering, 1 refused, db ok');
  core.holds.set('web', undefined, '');
  await waitFor('it is held', () => last().includes(', 1 held,'));
  core.holds.set(null, undefined, '');
  await waitFor('all are held', () => last() === '0 in alarm, 0 recovering, all held, 1 refused, db ok');
  core.holds.release(undefined);
  for (let i = 0; i < 3; i++) core.breakers.failed('web', web);
  await waitFor('its breaker is open', () => last() === '0 in alarm, 0 recovering, 1 breaker open, 1 refused, db ok');
  core.breakers.reset();
  await waitFor('its breaker is closed', () => last() === '0 in alarm, 0 recovering, 1 refused, db ok');
  assert.equal(new Set(all).size, all.length - 1, 'only what changed is told');
});

test('what an order finds out about the store is in the line and in every status at once', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.web]\n');
  addRows(dir, ['web'], false);
  await core.monitor.look();
  const { last } = followed(core);
  const recoveries = new LastRecoveries(core.state.lastRecoveries);
  assert.equal(statusOfOne(core, recoveries, 'web').inAlarm, false);
  for (const end of ['', '-wal', '-shm']) rmSync(join(dir, `a.db${end}`), { force: true });
  writeFileSync(join(dir, 'a.db'), 'no database'.repeat(1000));
  const reply = await ordersOf(core).alarm('web', false, undefined);
  assert.equal(reply.kind === 'refused' && reply.code, 'unavailable');
  assert.equal(statusOfOne(core, recoveries, 'web').inAlarm, null);
  const { store } = buildStatus(core, recoveries, { version: '1', pid: 7, startedAt: null });
  assert.deepEqual([store.state, store.fault, store.alarms], ['unknown', 'schema', null]);
  await waitFor('the line says so', () => last().startsWith('alarms unknown since ') && last().endsWith(', db away'));
});

test('holds and breakers that end by themselves leave the line without anything else happening', async (t) => {
  const core = await coreWith(t, tempDir(t), '[monitor]\ncircuit_reset_time = 1\nmax_restart_failures = 1\n[process.web]\n');
  const { last } = followed(core);
  core.holds.set('web', 300, '');
  core.breakers.failed('web', web);
  await waitFor('both show', () => last().includes('1 held, 1 breaker open'));
  await waitFor('the hold is over', () => !last().includes('held'));
  await waitFor('the breaker is over', () => !last().includes('open'));
});

test('observe mode and a refused login are in the line, which stays short', async (t) => {
  const core = await coreWith(t, tempDir(t), '[monitor]\nmode = observe\n[process.web]\n');
  for (let i = 0; i < 1000; i++) core.holds.set(`process ${i}`, undefined, 'maintenance');
  const since = new Date();
  const of = (fault: Extract<StoreAvailability, { state: 'unknown' }>['fault']): string => {
    const availability: StoreAvailability = {
      state: 'unknown',
      since,
      reason: 'x'.repeat(500),
      fault,
      lastPollAt: since,
      alarms: [],
    };
    return statusLine({ ...core, monitor: { availability } as Core['monitor'] });
  };
  assert.match(of('denied'), /^observe: alarms unknown since \d{4}-.*, 0 recovering, 1000 held, db denies access$/);
  assert.match(of('unreachable'), /, db away$/);
  assert.ok(of('denied').length <= 200);
});
