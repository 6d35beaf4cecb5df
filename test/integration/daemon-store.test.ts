import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { DaemonProcess } from '../helpers/daemon.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';
import { isCallUnread } from '../helpers/unread-call.ts';
import { waitFor } from '../helpers/wait-for.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

const GONE = /Alarm store does not answer/;
const BACK = /Alarm store is back/;

/** Each poll is told. */
const TALKATIVE = { logging: { level: 'debug' } };
const POLL = /Poll completed|Alarm store is still away/g;

/** Waits until the daemon, which has to be TALKATIVE, has polled so many times more. */
async function polls(daemon: DaemonProcess, more: number): Promise<void> {
  const told = (): number => daemon.stdout().match(POLL)?.length ?? 0;
  const before = told();
  await waitFor('some polls', () => told() >= before + more);
}

test('at rest the daemon holds one connection with one prepared statement', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  await world.add('a');
  const daemon = await world.start();
  const counter = async (name: string): Promise<number> =>
    Number((await server().sql(`SHOW GLOBAL STATUS LIKE '${name}'`))[0]?.Value);
  await world.until('it polls', async () => (await world.status()).store.state === 'ok');
  const before = await counter('Com_stmt_execute');
  await world.until('it has polled idly', async () => (await counter('Com_stmt_execute')) >= before + 5);
  // The server forgets connections and statements that are closed a moment later.
  await world.until('it holds one connection with one statement', async () => {
    const held = await server().sql('SHOW PROCESSLIST');
    return held.filter(({ db }) => db === world.database).length === 1 && (await counter('Prepared_stmt_count')) === 1;
  });
  const prepares = await counter('Com_stmt_prepare');
  await world.until('it goes on', async () => (await counter('Com_stmt_execute')) >= before + 10);
  assert.equal(await counter('Com_stmt_prepare'), prepares);
  assert.equal((await daemon.stop()).code, 0);
  await world.nothingLeft();
});

test('a database that is killed while a poll waits for it, and comes back', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), TALKATIVE);
  const id = await world.add('a');
  const daemon = await world.start();
  await world.until('the store is known', async () => (await world.status()).store.state === 'ok');
  await server().pause();
  await waitFor('a poll waits for it', () => isCallUnread(server().socket));
  await server().kill();
  await daemon.line(GONE);
  const { store } = await world.status();
  assert.equal(store.state, 'unknown');
  assert.equal(store.alarms, null, 'unknown is not "no alarms"');
  assert.match(store.since ?? '', /^\d{4}-.*Z$/);
  // They fail, at growing intervals, and say nothing to an operator.
  await polls(daemon, 1);
  await server().restart();
  await daemon.line(BACK);
  await world.raise(id);
  await world.allClear();
  assert.equal((await world.status()).store.state, 'ok');
  assert.equal((await daemon.stop()).code, 0);
  assert.deepEqual(world.restarts(), [id]);
  assert.equal(daemon.stdout().split(GONE).length - 1, 1, 'one line when it goes');
  assert.equal(daemon.stdout().split(BACK).length - 1, 1, 'one line when it is back');
  await world.nothingLeft();
});

test('a database that freezes, and continues', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  const id = await world.add('a');
  const daemon = await world.start();
  await world.until('the store is known', async () => (await world.status()).store.state === 'ok');
  await server().pause();
  try {
    await daemon.line(GONE);
    const { store } = await world.status();
    assert.equal(store.state, 'unknown');
    assert.equal(store.alarms, null);
  } finally {
    server().resume();
  }
  await daemon.line(BACK);
  await world.raise(id);
  await world.allClear();
  assert.equal((await daemon.stop()).code, 0);
  assert.deepEqual(world.restarts(), [id]);
  assert.equal(daemon.stdout().split(GONE).length - 1, 1);
  assert.equal(daemon.stdout().split(BACK).length - 1, 1);
  await world.nothingLeft();
});

test('SIGTERM while the database is frozen ends the daemon in time', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), { database: { query_timeout: 60 } });
  const daemon = await world.start();
  await world.until('the store is known', async () => (await world.status()).store.state === 'ok');
  await server().pause();
  try {
    await waitFor('a poll waits for it', () => isCallUnread(server().socket));
    const startedMs = performance.now();
    assert.equal((await daemon.stop()).code, 0);
    assert.ok(performance.now() - startedMs < 10_000, 'it does not wait for the answer');
  } finally {
    server().resume();
  }
  await world.nothingLeft();
});

test('an alarm whose clearing the database misses is cleared later, without a second restart', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  const [file, go] = [`${world.dir}/restarts`, `${world.dir}/go`];
  world.configure({
    'process.default': {
      restart_command: `echo $MONITOR_PROCESS_ID >> ${file}; until [ -e ${go} ]; do sleep 0.05; done`,
      health_check_command: 'true',
    },
  });
  const id = await world.add('a');
  await world.raise(id, 'why');
  const daemon = await world.start();
  await world.until('the restart has begun', () => world.restarts().length === 1);
  await server().kill();
  writeFileSync(go, '');
  await daemon.line(/Alarm of a could not be cleared/);
  await server().restart();
  assert.equal((await world.row(id)).alarma, 1);
  await world.allClear();
  assert.match((await world.row(id)).notes ?? '', /^why - Restarted at /);
  assert.deepEqual(world.restarts(), [id]);
  assert.equal((await daemon.stop()).code, 0);
  await world.nothingLeft();
});

test(
  'a user who may only SELECT: each alarm is healed once, and remembered across a restart of the daemon',
  options,
  async (t) => {
    const world = await DaemonWorld.open(t, server(), TALKATIVE);
    const user = `${world.database.slice(-12)}_r`;
    await server().sql(
      `CREATE USER '${user}'@'localhost' IDENTIFIED BY 'only #reading'; GRANT SELECT ON ${world.database}.* TO '${user}'@'localhost'`,
    );
    t.after(() => server().sql(`DROP USER '${user}'@'localhost'`));
    world.configure({ database: { user, password: 'only #reading' }, 'process.default': { health_check_command: 'true' } });
    const id = await world.add('a');
    await world.raise(id, 'first');
    const first = await world.start();
    await first.line(/Not allowed to clear alarms/);
    // They still see the row.
    await polls(first, 4);
    assert.equal((await first.stop()).code, 0);
    const second = await world.start();
    await polls(second, 4);
    assert.deepEqual(world.restarts(), [id]);
    assert.equal((await world.row(id)).alarma, 1);

    // Somebody clears it; the next alarm is a new one.
    await world.sql('UPDATE STATUS_PROCESS SET alarma = 0 WHERE process_id = ?', [id]);
    await second.line(/Poll completed: 0 in alarm/);
    await world.raise(id, 'second');
    await world.until('the new alarm is healed', () => world.restarts().length === 2);
    await polls(second, 4);
    assert.deepEqual(world.restarts(), [id, id]);
    assert.equal((await second.stop()).code, 0);
    for (const daemon of [first, second]) assert.doesNotMatch(daemon.stdout(), /only #reading/);
    assert.doesNotMatch(readFileSync(world.logFile, 'utf8'), /only #reading/);
    await world.nothingLeft();
  },
);
