import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { DaemonStatus, ProcessStatus } from '../../src/control/status.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { openZoo } from '../helpers/process-zoo.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

function named({ processes }: DaemonStatus, name: string): ProcessStatus {
  const found = processes.find((process) => process.name === name);
  assert(found, `${name} among ${processes.map((process) => process.name).join(', ')}`);
  return found;
}

async function shown(world: DaemonWorld, name: string): Promise<ProcessStatus> {
  return named(await world.status(), name);
}

test('what was healed and could not be cleared is not well', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  const [begun, go] = [join(world.dir, 'begun'), join(world.dir, 'go')];
  const command = `touch ${begun}; until [ -e ${go} ]; do sleep 0.05; done`;
  world.configure({ 'process.web': { restart_strategy: 'custom', restart_command: command } });
  await world.raise(await world.add('web'));
  const daemon = await world.start();
  await world.until('it is being restarted', () => existsSync(begun));
  assert.equal((await shown(world, 'web')).state, 'recovering');
  await server().kill();
  await daemon.line(/Alarm store does not answer/);
  assert.equal((await shown(world, 'web')).state, 'recovering');
  writeFileSync(go, '');
  await world.until('it has ended', async () => (await shown(world, 'web')).lastRecovery?.outcome === 'recovered');
  const healed = await world.until('it is judged', async () => {
    const process = await shown(world, 'web');
    return process.state === 'recovering' ? undefined : process;
  });
  assert.deepEqual([healed.inAlarm, healed.state], [null, 'unknown']);
  assert.match(healed.reason ?? '', /healed, not cleared/);
  await server().restart();
  await world.until('it is cleared', async () => (await shown(world, 'web')).inAlarm === false);
  assert.equal((await shown(world, 'web')).state, 'quiet');
  assert.equal((await daemon.stop()).code, 0);
});

test('what does not run is not green: never started, restarted without success, or gone since a boot', options, async (t) => {
  const booted = `booted-${process.pid}`;
  const zoo = openZoo(t);
  const program = zoo.sleeper(booted);
  const world = await DaemonWorld.open(t, server(), {
    [`process.${booted}`]: { restart_strategy: 'process', restart_command: '', watch_exit: true },
  });
  await world.add(booted);
  const daemon = await world.start();
  const pid = await zoo.start(program);
  await world.until('it runs', async () => (await shown(world, booted)).state === 'ok');
  assert.equal((await daemon.stop()).code, 0);
  process.kill(pid, 'SIGKILL');
  anotherBoot(world);
  const offline = JSON.parse((await world.cli('status', '--json')).stdout) as DaemonStatus;
  assert.equal(named(offline, booted).state, 'down');
  const next = await world.start();
  const gone = await world.until('it is missed', async () => {
    const process = await shown(world, booted);
    return process.state === 'unknown' ? undefined : process;
  });
  assert.equal(gone.state, 'down');
  // The store may not have been read yet, which is told too.
  assert.match(gone.reason ?? '', /^was not started since the boot/);
  await zoo.start(program);
  await world.until('it runs again', async () => (await shown(world, booted)).state === 'ok');
  assert.equal((await next.stop()).code, 0);
});

/** What stands in the memory was written down before the machine was booted. */
function anotherBoot(world: DaemonWorld): void {
  const database = new DatabaseSync(join(world.dir, 'state', 'state.db'));
  const rows = database.prepare('SELECT key, value FROM watched_lives').all() as { key: string; value: string }[];
  for (const { key, value } of rows) {
    const moved = JSON.stringify({ ...JSON.parse(value), bootId: '00000000-0000-4000-8000-000000000000' });
    database.prepare('UPDATE watched_lives SET value = ? WHERE key = ?').run(moved, key);
  }
  database.close();
  assert.ok(rows.length > 0);
}
