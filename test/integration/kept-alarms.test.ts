import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Core, createCore } from '../../src/app/app.ts';
import { readSettings } from '../../src/app/settings.ts';
import { DaemonWorld, type Scope } from '../helpers/daemon-world.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };
const DIE = join(import.meta.dirname, '../fixtures/app/raise-and-die.ts');

/** At this interval nothing but the waking makes the loop come soon. */
const rarely = { monitor: { check_interval: 86_400 }, 'process.default': { health_check_command: 'true' } };

/** The river on the world's configuration, its loop running. */
async function live(t: Scope, world: DaemonWorld): Promise<{ core: Core; log: RecordedLog; end: () => Promise<void> }> {
  const log = new RecordedLog();
  const core = await createCore({ settings: readSettings(world.configFile), log });
  const loop = core.monitor.run(core.stopping.signal);
  const end = async (): Promise<void> => {
    core.stopping.abort();
    await loop;
    await core.handler.idle();
    await core.stops.stop(10_000);
  };
  t.after(end);
  return { core, log, end };
}

const polled = (core: Core) => (): boolean => core.monitor.availability.state === 'ok';
const keptNone = (core: Core) => (): boolean => core.state.kept.list().length === 0;

test('an alarm of our own is raised in the store and healed at once; an acknowledged row is left alone', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), rarely);
  const id = await world.add('a');
  const silent = await world.add('b');
  await world.sql('UPDATE STATUS_PROCESS SET alarma = 1, sound = 1, notes = ? WHERE process_id = ?', ['known', silent]);
  const { core } = await live(t, world);
  await world.until('the store is known', polled(core));
  await core.alarms.raise('b', 'signal SIGSEGV', 'exit');
  await core.alarms.raise('a', 'signal SIGSEGV', 'exit');
  await world.until('it is healed', () => world.restarts().length === 1);
  await world.allClear({ except: [silent] });
  assert.deepEqual(world.restarts(), [id]);
  assert.match((await world.row(id)).notes ?? '', /^signal SIGSEGV - Restarted at /);
  assert.deepEqual({ ...(await world.row(silent)) }, { alarma: 1, sound: 1, notes: 'known' });
  assert.deepEqual(core.state.kept.list(), []);
});

test(
  'the rights that setup.sql grants suffice to raise an alarm; with SELECT only, and without a row, it is kept',
  options,
  async (t) => {
    for (const [grants, restarted] of [
      [['SELECT', 'SELECT, UPDATE (alarma, notes)'], 'a row'],
      [['SELECT', 'SELECT'], 'none'],
    ] as const) {
      const world = await DaemonWorld.open(t, server(), rarely);
      const user = `${world.database.slice(-12)}_k`;
      await server().sql(
        `CREATE USER '${user}'@'localhost' IDENTIFIED BY 'x'; GRANT ${grants[0]} ON ${world.database}.PROCESE TO '${user}'@'localhost'; GRANT ${grants[1]} ON ${world.database}.STATUS_PROCESS TO '${user}'@'localhost'`,
      );
      t.after(() => server().sql(`DROP USER '${user}'@'localhost'`));
      world.configure({ database: { user, password: 'x' } });
      const id = await world.add('a');
      const { core, log, end } = await live(t, world);
      await world.until('the store is known', polled(core));
      for (const [i, name] of ['a', 'a', 'none'].entries()) {
        await core.alarms.raise(name, `exit code ${i}`, 'exit');
        await world.until(
          'it is healed',
          () => core.handler.recovering === 0 && world.restarts().length === i + 1 && keptNone(core)(),
        );
        await world.allClear();
      }
      assert.deepEqual(world.restarts(), restarted === 'a row' ? [id, id, 0] : [0, 0, 0]);
      assert.equal(log.of('warning').filter((line) => /stored locally/.test(line)).length, restarted === 'a row' ? 1 : 3);
      core.monitor.wake();
      await end();
      assert.equal(world.restarts().length, 3);
    }
  },
);

test(
  'a store that is killed: the alarm is healed without it, and another one waits there once it is back',
  options,
  async (t) => {
    const world = await DaemonWorld.open(t, server(), { ...rarely, monitor: { check_interval: 0.3 } });
    const [a, held] = [await world.add('a'), await world.add('held')];
    const { core } = await live(t, world);
    await world.until('the store is known', polled(core));
    core.holds.set('held', undefined, '');
    await server().kill();
    try {
      // Whether or not a poll has noticed.
      await core.alarms.raise('a', 'exit code 1', 'exit');
      await core.alarms.raise('held', 'exit code 2', 'exit');
      await world.until('it is healed', () => world.restarts().length === 1);
      await world.until('one is left', () => core.state.kept.list().length === 1);
      await world.until('the store is known to be away', () => core.monitor.availability.state === 'unknown');
    } finally {
      await server().restart();
    }
    await world.until('it has moved', keptNone(core), 60_000);
    assert.deepEqual({ ...(await world.row(held)) }, { alarma: 1, sound: 0, notes: 'exit code 2' });
    core.holds.release('held');
    core.monitor.wake();
    await world.allClear();
    assert.deepEqual(world.restarts(), [0, held]);
    assert.equal((await world.row(a)).alarma, 0);
  },
);

test('a store that hangs: the alarm is healed without it, once', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), { ...rarely, database: { query_timeout: 60 } });
  const id = await world.add('a');
  const { core } = await live(t, world);
  await world.until('the store is known', polled(core));
  await server().pause();
  try {
    core.monitor.wake();
    await core.alarms.raise('a', 'exit code 1', 'exit');
    await world.until('it is healed', () => world.restarts().length === 1 && keptNone(core)());
  } finally {
    server().resume();
  }
  core.monitor.wake();
  await world.until('the store has answered', () => core.handler.recovering === 0 && polled(core)());
  await world.allClear();
  assert.deepEqual(world.restarts(), [0]);
  assert.equal((await world.row(id)).alarma, 0);
});

for (const when of ['raised', 'stored', 'restarted']) {
  for (const where of ['with a row', 'without a row', 'while the store is away'] as const) {
    if (when === 'stored' && where !== 'with a row') continue;
    test(`kill -9, ${when}, ${where}: the alarm is neither lost nor handled twice`, options, async (t) => {
      const world = await DaemonWorld.open(t, server(), rarely);
      const id = where === 'without a row' ? undefined : await world.add('a');
      if (where === 'while the store is away') await server().kill();
      const daemon = spawn(process.execPath, [DIE, world.configFile, 'a', when], { stdio: ['ignore', 'inherit', 'inherit'] });
      const [, signal] = await once(daemon, 'exit');
      if (where === 'while the store is away') await server().restart();
      assert.equal(signal, 'SIGKILL');
      const before = world.restarts().length;
      assert.equal(before, when === 'restarted' ? 1 : 0);
      const { core, end } = await live(t, world);
      await world.until('nothing is in alarm', () => core.handler.recovering === 0 && keptNone(core)() && polled(core)());
      await world.until('it is healed', () => world.restarts().length === 1);
      await world.allClear();
      await end();
      assert.equal(world.restarts().length, 1);
      if (id !== undefined) assert.equal((await world.row(id)).alarma, 0);
    });
  }
}
