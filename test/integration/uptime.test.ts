import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KnownCheck } from '../../src/control/orders/checks.ts';
import type { UptimeOf, Uptimes } from '../../src/control/orders/uptime.ts';
import type { IncidentStatus } from '../../src/control/orders/why.ts';
import { DaemonWorld, getJson } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

// The whole daemon, killed and stopped. What the figures are: unit/monitor/history/uptime-model.test.ts.

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

async function uptimes(world: DaemonWorld, ...args: string[]): Promise<Record<string, UptimeOf>> {
  const { stdout, stderr, code } = await world.cli('uptime', '--json', ...args);
  assert.equal(code, 0, stderr);
  return Object.fromEntries((JSON.parse(stdout) as Uptimes).uptimes.map((each) => [each.name, each]));
}

test('uptime tells what was up and down, over a kill and a stop, with a daemon and without', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  const row = await world.add('web');
  world.configure({
    'process.web': { restart_command: 'sleep 1' },
    'process.other': {},
    'check.page': { type: 'command', command: 'true', interval: 1 },
  });
  const first = await world.start();
  await world.until('it is known to be up', async () => {
    const { web, page } = await uptimes(world);
    return web?.percent === 100 && page?.percent === 100;
  });
  await world.raise(row);
  await world.until('an outage is over', async () => {
    const { web } = await uptimes(world, 'web');
    return web?.meanToRecoverMs !== null;
  });
  const socket = join(world.dir, 'control.sock');
  const { checks } = (await getJson(socket, '/v1/checks')) as { checks: KnownCheck[] };
  assert.deepEqual(
    checks.map(({ status, last }) => [status.name, status.state, last?.result, last?.reason, last?.isHeld]),
    [['page', 'ok', 'ok', null, false]],
  );
  const { incidents } = (await getJson(socket, '/v1/incidents')) as { incidents: IncidentStatus[] };
  assert.deepEqual(
    incidents.map(({ name, how }) => [name, how]),
    [['web', 'cleared']],
  );
  const { web: before, other } = await uptimes(world);
  assert(before !== undefined && other?.percent === 100);
  assert.equal(before.outages, 1);
  assert.ok(before.percent !== null && before.percent < 100, JSON.stringify(before));
  assert.ok(before.downMs >= 1000 && before.longestMs === before.downMs && before.meanToRecoverMs === before.downMs);
  assert.equal(before.upMs + before.downMs + before.heldMs + before.unknownMs, 30 * 86_400_000);
  await world.cli('hold', 'web');
  await world.until('it is held', async () => ((await uptimes(world)).web?.heldMs ?? 0) > 0);
  await world.cli('release', 'web');
  await first.stop('SIGKILL');
  const killed = await uptimes(world);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const later = await uptimes(world);
  assert.equal(later.web?.upMs, killed.web?.upMs, 'nothing is known while no daemon runs');
  assert.ok((killed.web?.upMs ?? 0) > 0 && killed.web?.outages === 1);
  const second = await world.start();
  await world.until('it is known again', async () => ((await uptimes(world)).web?.upMs ?? 0) > (killed.web?.upMs ?? 0));
  const known = await uptimes(world);
  assert.equal((await second.stop()).code, 0);
  const stopped = await uptimes(world, '--days', '400');
  assert.ok((stopped.web?.upMs ?? 0) >= (known.web?.upMs ?? 0), 'a stop in order loses nothing');
  const { code, stdout, stderr } = await world.cli('uptime');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /reading the history/);
  assert.match(stdout, /^since \d{4}-.*\nNAME +UPTIME +OUTAGES +LONGEST +MEAN +DOWN +HELD +UNKNOWN\n/);
  assert.match(stdout, /^other +100\.000 % +0 +- /m);
  assert.match(stdout, /^web +\d{1,2}\.\d{3} % +1 +/m);
  assert.equal((await world.cli('uptime', 'nobody')).code, 66);
  assert.equal((await world.cli('uptime', '--days', '401')).code, 64);
});
