import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreError, type StoreFault } from '../../src/core/errors.ts';
import type { MysqlEndpoint } from '../../src/stores/mysql/endpoints.ts';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import type { AlarmStore } from '../../src/stores/store.ts';
import { type Mariadb, mariadbProblem, startMariadbs } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { mysqlOptions, mysqlWorld } from '../helpers/store-worlds.ts';
import { waitFor } from '../helpers/wait-for.ts';

const AT = new Date(2026, 0, 2, 3, 4, 5);
const SHORT = { connectTimeoutMs: 600, queryTimeoutMs: 600 };

const hasFault =
  (fault: StoreFault, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.fault, fault, error.message);
    assert.doesNotMatch(error.message, /s3cret|\n/);
    assert.match(error.message, message);
    return true;
  };

describe('mysql faults', { skip: skipUnless(mariadbProblem()) }, () => {
  let server: Mariadb;
  let other: Mariadb;
  before(async () => {
    [server, other] = await startMariadbs([{}, {}]);
  });
  after(() => Promise.all([server?.stop(), other?.stop()]));

  const tcp = (to: Mariadb): MysqlEndpoint => ({ kind: 'tcp', host: '127.0.0.1', port: to.port });

  test('a server that is killed is unreachable, and found again when it is back', async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    await world.add({ id: 1, name: 'nginx', alarma: 1 });
    const store = new MysqlStore(mysqlOptions(server, { database: world.database, endpoints: [tcp(server)] }));
    t.after(() => store.close());
    assert.equal((await store.readAlarms()).rows.length, 1);
    await server.kill();
    for (let i = 0; i < 3; i++) await assert.rejects(store.readAlarms(), hasFault('unreachable'));
    await assert.rejects(store.raiseAlarm('1', undefined), hasFault('unreachable'));
    await server.restart();
    const [row] = (await store.readAlarms()).rows;
    assert.equal(await store.clearAlarm(row!, AT), 'cleared');
  });

  test('a server is found by its name; one that is not found is reported in words', async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    const at = (host: string): MysqlEndpoint => ({ kind: 'tcp', host, port: server.port });
    const store = new MysqlStore(
      mysqlOptions(server, { database: world.database, endpoints: [at('no-such-host.invalid'), at('localhost')] }),
    );
    t.after(() => store.close());
    assert.deepEqual((await store.readAlarms()).rows, []);
    const nowhere = new MysqlStore(mysqlOptions(server, { endpoints: [at('no-such-host.invalid')] }));
    t.after(() => nowhere.close());
    await assert.rejects(nowhere.readAlarms(), (error) => {
      assert.match((error as Error).message, /^mysql no-such-host\.invalid:\d+: no-such-host\.invalid could not be resolved: /);
      return hasFault('unreachable')(error);
    });
  });

  test('calls under way when the server is killed end as unreachable', async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    await world.add(
      ...Array.from({ length: 2000 }, (_, i) => ({ id: i + 1, name: `p${i}`, alarma: 1, notes: 'x'.repeat(500) })),
    );
    const calls = Promise.allSettled(Array.from({ length: 40 }, () => world.store.readAlarms()));
    await server.kill();
    const settled = await calls;
    assert.ok(settled.some(({ status }) => status === 'rejected'));
    for (const call of settled) {
      if (call.status === 'fulfilled') assert.equal(call.value.rows.length, 2000);
      else hasFault('unreachable')(call.reason);
    }
    await server.restart();
    assert.equal((await world.store.readAlarms()).rows.length, 2000);
  });

  test('a frozen server costs each call its deadline, and nothing is left poisoned', { timeout: 300_000 }, async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    await world.add({ id: 1, name: 'nginx', alarma: 1 });
    const store = new MysqlStore(mysqlOptions(server, { database: world.database, endpoints: [tcp(server)], ...SHORT }));
    t.after(() => store.close());
    const [row] = (await store.readAlarms()).rows;
    await server.pause();
    t.after(() => server.resume());
    await timely(2500, assert.rejects(store.readAlarms(), hasFault('timeout')));
    await timely(2500, assert.rejects(store.readAlarms(), hasFault('unreachable')), 'there is no connection now');
    const burst = await timely(5000, Promise.allSettled(Array.from({ length: 10 }, () => store.clearAlarm(row!, AT))));
    assert.ok(burst.every(({ status }) => status === 'rejected'));
    server.resume();
    await waitFor('the server breathes again', () =>
      server.sql('SELECT 1').then(
        () => true,
        () => false,
      ),
    );
    assert.equal((await timely(2500, store.readAlarms())).rows.length, 1);
    assert.equal(await timely(2500, store.clearAlarm(row!, AT)), 'cleared');
    const two = 'only the connection of the polls and that of the clearing are left';
    await waitFor(two, async () => (await connectionsTo(server, world.database)) === 2 + 1);
  });

  test('a frozen server does not hold up the closing', { timeout: 300_000 }, async (t) => {
    const store = new MysqlStore(mysqlOptions(server, { database: 'mysql' }));
    await assert.rejects(store.readAlarms(), hasFault('schema'));
    await server.pause();
    t.after(() => server.resume());
    const call = assert.rejects(store.readAlarms(), hasFault('unreachable'));
    // Its statement has left by then; a frozen server gives no sign of it.
    await delay(50);
    await timely(2500, store.close());
    await timely(1000, call);
    server.resume();
  });

  test('a host that does not answer is passed over, in the order of the list', { timeout: 300_000 }, async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    const nobody: MysqlEndpoint = { kind: 'tcp', host: '127.0.0.1', port: 1 };
    const noName: MysqlEndpoint = { kind: 'tcp', host: 'no-such-host.invalid', port: 3306 };
    const socket: MysqlEndpoint = { kind: 'socket', path: '/nonexistent/mysqld.sock', optional: false };
    const endpoints = [nobody, socket, noName, tcp(server), tcp(other)];
    const store = new MysqlStore(mysqlOptions(server, { database: world.database, endpoints }));
    t.after(() => store.close());
    assert.deepEqual((await store.readAlarms()).rows, []);
    assert.equal(store.description, `mysql 127.0.0.1:${server.port}/${world.database}`);
    const nowhere = new MysqlStore(mysqlOptions(server, { endpoints: [nobody, socket] }));
    t.after(() => nowhere.close());
    await assert.rejects(
      nowhere.readAlarms(),
      /127\.0\.0\.1:1: nobody listens on 127\.0\.0\.1 port 1; .*: there is no socket \/nonexistent\/mysqld\.sock \(start/,
    );
  });

  test('a frozen host is passed over within read_timeout, or connect_timeout, and not asked again', {
    timeout: 300_000,
  }, async (t) => {
    const [world, spare] = await twins(t);
    await spare.add({ id: 1, name: 'nginx', alarma: 1 });
    const endpoints = [tcp(server), tcp(other)];
    const store = new MysqlStore(mysqlOptions(server, { database: world.database, endpoints, ...SHORT }));
    t.after(() => store.close());
    assert.deepEqual((await store.readAlarms()).rows, []);
    await server.pause();
    t.after(() => server.resume());
    assert.equal((await timely(2500, store.readAlarms())).rows.length, 1, 'its time is over, and the other is asked');
    assert.equal((await timely(500, store.readAlarms())).rows.length, 1);
    const fresh = new MysqlStore(mysqlOptions(server, { database: world.database, endpoints, ...SHORT }));
    t.after(() => fresh.close());
    assert.equal((await timely(2500, fresh.readAlarms())).rows.length, 1);
    assert.equal((await timely(500, fresh.readAlarms())).rows.length, 1);
  });

  test('a host that is left while it is frozen does not hold up the closing', { timeout: 300_000 }, async (t) => {
    const [world] = await twins(t);
    const endpoints = [tcp(server), tcp(other)];
    const patient = { connectTimeoutMs: 500, queryTimeoutMs: 20_000, readTimeoutMs: 500 };
    const store = new MysqlStore(mysqlOptions(server, { database: world.database, endpoints, ...patient }));
    t.after(() => store.close());
    await store.raiseAlarm('1', undefined);
    t.after(() => server.resume());
    await server.pause();
    const stuck = assert.rejects(store.raiseAlarm('1', undefined), hasFault('unreachable'));
    assert.deepEqual((await timely(5000, store.readAlarms())).rows, []);
    assert.equal(store.description, `mysql 127.0.0.1:${other.port}/${world.database}`);
    await timely(2000, store.close());
    await timely(1000, stuck);
  });

  test('root of the machine needs no password if the server knows it by the socket', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('not root');
    const [{ version }] = (await other.sql('SELECT VERSION() AS version')) as [{ version: string }];
    if (!/mariadb/i.test(version)) return t.skip('a plugin of MariaDB');
    const world = await mysqlWorld(other);
    await other.sql("ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING 'invalid' OR unix_socket");
    t.after(async () => {
      await other.sql("ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('')");
      await world.close();
    });
    const store = new MysqlStore(mysqlOptions(other, { database: world.database, password: 'any' }));
    assert.deepEqual((await store.readAlarms()).rows, []);
    await store.close();
  });

  test('a read-only server can be polled; clearing moves to one that takes writes', async (t) => {
    const [world, spare] = await twins(t);
    for (const each of [world, spare]) await each.add({ id: 1, name: 'nginx', alarma: 1 });
    for (const one of [server, other]) {
      await one.sql(`CREATE OR REPLACE USER m@'%' IDENTIFIED BY 's3cret'; GRANT SELECT, UPDATE ON *.* TO m@'%'`);
    }
    await server.sql('SET GLOBAL read_only = 1');
    t.after(() => server.sql('SET GLOBAL read_only = 0'));
    const options = { database: world.database, user: 'm', password: 's3cret' };
    const alone = new MysqlStore(mysqlOptions(server, { ...options, endpoints: [tcp(server)] }));
    t.after(() => alone.close());
    const [row] = (await alone.readAlarms()).rows;
    await assert.rejects(alone.clearAlarm(row!, AT), hasFault('read_only'));
    assert.equal((await alone.readAlarms()).rows.length, 1);
    assert.match((await alone.inspect()).remarks.join(), /read-only/);

    const both = new MysqlStore(mysqlOptions(server, { ...options, endpoints: [tcp(server), tcp(other)] }));
    t.after(() => both.close());
    assert.equal((await both.readAlarms()).rows.length, 1);
    assert.equal(await both.clearAlarm(row!, AT), 'cleared');
    assert.equal((await spare.row(1))?.alarma, 0);
    assert.deepEqual((await both.readAlarms()).rows, [], 'and stays there');
  });

  test('users with too few privileges get a message that says so', async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    await world.add({ id: 1, name: 'nginx', alarma: 1 });
    await server.sql(`CREATE OR REPLACE USER r@'%' IDENTIFIED BY 's3cret'; GRANT SELECT ON ${world.database}.* TO r@'%'`);
    const open = (change: object): AlarmStore => {
      const store = new MysqlStore(
        mysqlOptions(server, { database: world.database, user: 'r', password: 's3cret', ...change }),
      );
      t.after(() => store.close());
      return store;
    };
    const reader = open({});
    const [row] = (await reader.readAlarms()).rows;
    const clearing = new RegExp(
      `\\(expected GRANT UPDATE \\(alarma, notes\\) ON ${world.database}\\.STATUS_PROCESS TO 'r'@'localhost', or to the host`,
    );
    await assert.rejects(reader.clearAlarm(row!, AT), hasFault('denied', clearing));
    assert.equal((await reader.inspect()).canClear, false);
    for (const change of [{ password: 's3cret!' }, { password: '' }, { user: 'nobody' }, { database: 'mysql' }]) {
      await assert.rejects(open(change).readAlarms(), hasFault('denied'));
    }
    const other =
      /^mysql \S+: Access denied .* to database 'mysql' \(expected .*; GRANT SELECT, UPDATE \(alarma, notes\) ON mysql\.STATUS/;
    await assert.rejects(open({ database: 'mysql' }).readAlarms(), hasFault('denied', other));
    const unknown = /Unknown database 'no_such' \(set database to one that exists/;
    await assert.rejects(open({ user: 'root', password: '', database: 'no_such' }).readAlarms(), hasFault('schema', unknown));
    await assert.rejects(open({ user: 'root', password: '', database: 'mysql' }).readAlarms(), hasFault('schema'));
  });

  test('a locked row is busy before the deadline, and its connection is kept', { timeout: 300_000 }, async (t) => {
    const [world, locker] = [await mysqlWorld(server), await mysqlWorld(server)];
    t.after(() => Promise.all([world.close(), locker.close()]));
    await world.add({ id: 1, name: 'nginx', alarma: 1 });
    const store = new MysqlStore(mysqlOptions(server, { database: world.database, queryTimeoutMs: 3000 }));
    t.after(() => store.close());
    const [row] = (await store.readAlarms()).rows;
    await world.exec('SET GLOBAL innodb_lock_wait_timeout = 50');
    const release = new AbortController();
    const holding = holdLock(server, world.database, release.signal);
    await holding.locked;
    await timely(6000, assert.rejects(store.clearAlarm(row!, AT), hasFault('busy')));
    assert.equal((await store.readAlarms()).rows.length, 1, 'a poll does not wait for it');
    release.abort();
    await holding.released;
    assert.equal(await store.clearAlarm(row!, AT), 'cleared');
  });

  test('clearings that hang keep no poll and no re-read waiting', { timeout: 300_000 }, async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    await world.add(...Array.from({ length: 5 }, (_, i) => ({ id: i + 1, name: `p${i}`, alarma: 1 })));
    const store = new MysqlStore(mysqlOptions(server, { database: world.database, queryTimeoutMs: 5000 }));
    t.after(() => store.close());
    const { rows } = await store.readAlarms();
    const release = new AbortController();
    const holding = holdLock(server, world.database, release.signal);
    await holding.locked;
    let ended = 0;
    const clearings = rows.map((row) => store.clearAlarm(row, AT).finally(() => ended++));
    const all = Promise.allSettled(clearings);
    for (let i = 0; i < 20; i++) {
      assert.equal((await timely(1500, store.readAlarms())).rows.length, 5);
      const row = await timely(1500, store.readProcess('3'));
      assert.ok(row !== 'ambiguous' && row?.alarma);
    }
    assert.equal(ended, 0, 'they hang still');
    release.abort();
    await holding.released;
    assert.ok((await all).every(({ status }) => status === 'fulfilled'));
    assert.deepEqual((await store.readAlarms()).rows, []);
  });

  test('a server without autocommit is made to commit', async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    await world.add({ id: 1, name: 'nginx', alarma: 1 });
    await server.sql('SET GLOBAL autocommit = 0');
    t.after(() => server.sql('SET GLOBAL autocommit = 1'));
    const store = new MysqlStore(mysqlOptions(server, { database: world.database, poolSize: 1 }));
    const [row] = (await store.readAlarms()).rows;
    assert.equal(await store.clearAlarm(row!, AT), 'cleared');
    assert.equal((await world.row(1))?.alarma, 0);
    await world.exec('UPDATE STATUS_PROCESS SET alarma = 1');
    assert.equal((await store.readAlarms()).rows.length, 1, 'no old snapshot');
    await store.close();
  });

  test('connections killed by an administrator are replaced', async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    for (let i = 0; i < 20; i++) {
      await world.store.readAlarms().catch(hasFault('unreachable'));
      const ids = await server.sql(`SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '${world.database}'`);
      for (const { ID } of ids) await server.sql(`KILL ${ID}`).catch(() => undefined);
    }
    await waitFor('it polls again', () =>
      world.store.readAlarms().then(
        () => true,
        () => false,
      ),
    );
  });

  test('too many connections are busy', async (t) => {
    const world = await mysqlWorld(server);
    t.after(() => world.close());
    await server.sql(`CREATE OR REPLACE USER few@'%' WITH MAX_USER_CONNECTIONS 1; GRANT ALL ON *.* TO few@'%'`);
    const [a, b] = [0, 1].map(() => new MysqlStore(mysqlOptions(server, { database: world.database, user: 'few' })));
    t.after(() => Promise.all([a!.close(), b!.close()]));
    await a!.readAlarms();
    await assert.rejects(b!.readAlarms(), hasFault('busy'));
  });

  /** One database on both servers, of the same name. */
  async function twins(t: { after(fn: () => Promise<unknown>): void }) {
    const world = await mysqlWorld(server);
    const spare = await mysqlWorld(other, undefined, world.database);
    t.after(() => Promise.all([world.close(), spare.close()]));
    return [world, spare] as const;
  }
});

/** `work`, which must end within `ms`. */
async function timely<T>(ms: number, work: Promise<T>, what = 'it ends in time'): Promise<T> {
  const started = performance.now();
  const value = await work;
  const took = Math.round(performance.now() - started);
  assert.ok(took < ms, `${what}: took ${took} ms, at most ${ms}`);
  return value;
}

async function connectionsTo(server: Mariadb, database: string): Promise<number> {
  const [row] = await server.sql(`SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = '${database}'`);
  return Number(row?.n);
}

/** A transaction that holds the rows of STATUS_PROCESS until it is released. */
function holdLock(server: Mariadb, database: string, until: AbortSignal): { locked: Promise<void>; released: Promise<void> } {
  const { promise: locked, resolve: onLocked } = Promise.withResolvers<void>();
  const name = `hold_${database}`;
  const released = (async () => {
    const holder = server.sql(
      `START TRANSACTION; SELECT * FROM STATUS_PROCESS FOR UPDATE; DO GET_LOCK('${name}', 1); DO SLEEP(60); ROLLBACK`,
      database,
    );
    const ended = holder.catch(() => undefined);
    const taken = await waitFor('the lock is taken', async () => {
      const [row] = await server.sql(`SELECT IS_USED_LOCK('${name}') AS id`);
      return row?.id as number | null;
    });
    onLocked();
    await new Promise((resolve) => until.addEventListener('abort', resolve, { once: true }));
    await server.sql(`KILL ${taken}`);
    await ended;
  })();
  return { locked, released };
}
