import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { StoreError, type StoreFault } from '../../src/core/errors.ts';
import type { MysqlOptions } from '../../src/stores/mysql/options.ts';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import { MonitorWorld } from '../helpers/monitor-world.ts';
import { type ScriptedAnswer, type ScriptedMysql, scriptedMysql } from '../helpers/scripted-mysql.ts';
import { mysqlOptions } from '../helpers/store-worlds.ts';
import { waitFor } from '../helpers/wait-for.ts';

const AT = new Date(2026, 0, 2, 3, 4, 5);
const WEB = { process_id: '1', process_name: 'web', alarma: 1, silent: 1, notes: 'down', notesDigest: null };
const SEEN = { processId: '1', processName: 'web', alarma: true, sound: false, notes: 'down', notesDigest: null };

const refuse = (errno: number, message = `error ${errno}`): ScriptedAnswer => ({ errno, message });
const isPoll = (sql: string): boolean => /WHERE .*s\.alarma/.test(sql) && sql.includes('JOIN PROCESE');
const isClearing = (sql: string): boolean => sql.startsWith('UPDATE');

/** What a member of a group replication says; `else`: to everything but its settings. */
const member =
  (other: (sql: string) => ScriptedAnswer | undefined = () => undefined) =>
  (sql: string): ScriptedAnswer | undefined => {
    if (sql.includes('wsrep'))
      return sql.startsWith('SET') ? refuse(1193, "Unknown system variable 'wsrep_sync_wait'") : undefined;
    return other(sql) ?? (isPoll(sql) ? { rows: [WEB] } : isClearing(sql) ? { changed: 1 } : undefined);
  };

/** A node of a Galera cluster. */
const node =
  (other: (sql: string) => ScriptedAnswer | undefined = () => undefined) =>
  (sql: string): ScriptedAnswer | undefined => {
    if (sql.startsWith('SHOW')) return { rows: [{ Variable_name: 'wsrep_on', Value: 'ON' }] };
    return other(sql) ?? (isPoll(sql) ? { rows: [WEB] } : isClearing(sql) ? { changed: 1 } : undefined);
  };

async function servers(t: TestContext, ...answers: ScriptedMysql['answer'][]): Promise<ScriptedMysql[]> {
  const all = await Promise.all(answers.map((answer) => scriptedMysql(answer)));
  t.after(() => Promise.all(all.map((server) => server.close())));
  return all;
}

function storeOn(t: TestContext, hosts: readonly ScriptedMysql[], change: Partial<MysqlOptions> = {}): MysqlStore {
  const endpoints = hosts.map(({ port }) => ({ kind: 'tcp' as const, host: '127.0.0.1', port }));
  const store = new MysqlStore(mysqlOptions({ socket: '' }, { endpoints, user: 'm', database: 'd', failbackMs: 0, ...change }));
  t.after(() => store.close());
  return store;
}

const hasFault =
  (fault: StoreFault, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.fault, fault, error.message);
    assert.match(error.message, message);
    return true;
  };

const settings = (server: ScriptedMysql | undefined): string[] => (server?.heard ?? []).filter((sql) => sql.startsWith('SET'));

test('the reads of a session are made causal in as few statements as the server lets us', async (t) => {
  const unknown = (names: RegExp) => (sql: string) => {
    const [name] = names.exec(sql) ?? [];
    return name === undefined ? undefined : refuse(1193, `Unknown system variable '${name}'`);
  };
  const cases: [string, ScriptedMysql['answer'], RegExp[]][] = [
    ['Galera, MariaDB', node(), [/autocommit = 1.*wsrep_sync_wait = 1$/]],
    ['a group', member(), [/wsrep_sync_wait/, /autocommit = 1.*group_replication_consistency = 'BEFORE'$/]],
    ['neither', unknown(/wsrep_sync_wait|group_replication_consistency/), [/wsrep/, /group/, /innodb_lock_wait_timeout = 8$/]],
    [
      'Galera, and no InnoDB',
      unknown(/innodb_lock_wait_timeout|group_replication_consistency/),
      [/wsrep/, /lock_wait_timeout = 8$/, /innodb/, /SESSION wsrep_sync_wait = 1$/, /group/],
    ],
  ];
  for (const [what, answer, expected] of cases) {
    const [server] = await servers(t, answer);
    await storeOn(t, [server!]).readAlarms();
    const heard = settings(server);
    assert.equal(heard.length, expected.length, `${what}: ${heard.join('\n')}`);
    for (const [i, pattern] of expected.entries()) assert.match(heard[i]!, pattern, what);
  }
});

test('if a server refuses to make reads causal, nothing it says counts, and the next host is asked', async (t) => {
  for (const variable of ['wsrep_sync_wait', 'group_replication_consistency']) {
    const refusing = (sql: string): ScriptedAnswer | undefined =>
      sql.includes(variable)
        ? refuse(1227, 'Access denied; you need SUPER')
        : member((other) => (isPoll(other) ? { rows: [WEB, { ...WEB, process_id: '2' }] } : undefined))(sql);
    const [bad, good] = await servers(t, refusing, member());
    assert.equal((await storeOn(t, [bad!, good!]).readAlarms()).rows.length, 1);
    await assert.rejects(storeOn(t, [bad!]).readAlarms(), hasFault('not_causal', /cannot be made causal: Access denied/));
    assert.ok(!bad?.heard.some(isPoll));
  }
});

for (const [errno, said] of [
  [1205, 'by a Galera node whose wait fails'],
  [1047, 'by a Galera node outside of the primary component'],
  [3796, 'by a member that is not online'],
  [3797, 'by a member whose wait fails'],
  [3798, 'by a member that waits for others'],
  [3799, 'by a member that stops'],
] as const)
  test(`a read that is refused with ${errno}, ${said}, moves on, and is not known if no host answers`, async (t) => {
    const isGalera = errno < 3000;
    const answers = isGalera ? node : member;
    const bad = answers((sql) => (sql.includes('FROM STATUS_PROCESS s') ? refuse(errno) : undefined));
    const [first, second, third] = await servers(t, bad, bad, answers());
    const store = storeOn(t, [first!, second!, third!]);
    assert.equal((await store.readAlarms()).rows.length, 1);
    assert.match(store.description, new RegExp(`:${third!.port}/`));
    await store.readAlarms();
    assert.equal(first?.heard.filter(isPoll).length, 1, 'and stays there');
    await assert.rejects(storeOn(t, [first!, second!]).readAlarms(), hasFault('not_causal'));
    await assert.rejects(storeOn(t, [first!, second!]).readProcess('1'), hasFault('not_causal'));
  });

test('1205 of a server that is in no cluster is a lock, and nobody else is asked', async (t) => {
  const locked = (sql: string): ScriptedAnswer | undefined => {
    if (sql.startsWith('SHOW')) return { rows: [{ Variable_name: 'wsrep_on', Value: 'OFF' }] };
    return isPoll(sql) ? refuse(1205) : undefined;
  };
  const [first, second] = await servers(t, locked, node());
  await assert.rejects(storeOn(t, [first!, second!]).readAlarms(), hasFault('busy'));
  assert.equal(second?.opened, 0);
});

test('1205 of a server that is in no cluster moves no clearing either', async (t) => {
  const locked = (sql: string): ScriptedAnswer | undefined => {
    if (sql.startsWith('SHOW')) return { rows: [{ Variable_name: 'wsrep_on', Value: 'OFF' }] };
    return sql.startsWith('SELECT 1') ? refuse(1205) : undefined;
  };
  const [first, second] = await servers(t, locked, node());
  await assert.rejects(storeOn(t, [first!, second!]).clearAlarm(SEEN, AT), hasFault('busy'));
  assert.equal(second?.opened, 0);
});

test('a poll that is not answered in time asks the next host', async (t) => {
  const [first, second] = await servers(
    t,
    node((sql) => (isPoll(sql) ? 'silence' : undefined)),
    node(),
  );
  const store = storeOn(t, [first!, second!], { readTimeoutMs: 1000 });
  const [poll, row, again] = await Promise.all([store.readAlarms(), store.readProcess('1'), store.readAlarms()]);
  assert.deepEqual([poll.rows.length, row, again.rows.length], [1, undefined, 1]);
  assert.equal(first?.opened, 1, 'all that wait go on together');
});

for (const errno of [1047, 3796, 3797, 3798, 3799])
  test(`a clearing that is refused with ${errno} is done elsewhere`, async (t) => {
    const answers = errno < 3000 ? node : member;
    const [first, second] = await servers(
      t,
      answers((sql) => (isClearing(sql) ? refuse(errno) : undefined)),
      answers(),
    );
    const store = storeOn(t, [first!, second!]);
    assert.equal(await store.clearAlarm(SEEN, AT), 'cleared');
    assert.equal(second?.heard.filter(isClearing).length, 1);
  });

for (const errno of [1180, 3100])
  test(`a clearing that ended in ${errno} is not done again, and its connection goes`, async (t) => {
    const [first, second] = await servers(
      t,
      node((sql) => (isClearing(sql) ? refuse(errno) : undefined)),
      node(),
    );
    const store = storeOn(t, [first!, second!]);
    await store.readAlarms();
    await assert.rejects(store.clearAlarm(SEEN, AT), hasFault('unreachable'));
    assert.equal(second?.opened, 0);
    first!.answer = node();
    const before = first!.opened;
    assert.equal(await store.clearAlarm(SEEN, AT), 'cleared');
    assert.equal(first!.opened, before + 1);
  });

test('after a clearing that nobody knows the end of the row is read first, and nothing is restarted twice', async (t) => {
  for (const wentThrough of [true, false]) {
    let stands = true;
    const [server] = await servers(t, (sql) => {
      const rows = stands ? [WEB] : [];
      if (sql.includes('JOIN PROCESE')) return { rows };
      if (!isClearing(sql)) return member()(sql);
      const isFirst = server!.heard.filter(isClearing).length === 1;
      stands = isFirst && !wentThrough;
      return isFirst ? refuse(3100) : { changed: 1 };
    });
    const world = new MonitorWorld();
    world.store = storeOn(t, [server!]);
    for (let i = 0; i < 3; i++) await world.poll();
    assert.deepEqual(world.restarts, ['web']);
    const steps = server!.heard.flatMap((sql) => (isClearing(sql) ? ['clear'] : isPoll(sql) ? ['poll'] : []));
    const [first, last] = [steps.indexOf('clear'), steps.lastIndexOf('clear')];
    assert.equal(first === last, wentThrough, steps.join());
    assert.ok(steps.slice(first).includes('poll'));
    if (!wentThrough) assert.ok(steps.slice(first, last).includes('poll'), steps.join());
    assert.equal(stands, false);
  }
});

test('a refused certification is retried later by whoever asked, on the same connection', async (t) => {
  const [first, second] = await servers(
    t,
    member((sql) => (isClearing(sql) ? refuse(3101) : undefined)),
    member(),
  );
  const store = storeOn(t, [first!, second!]);
  for (let i = 0; i < 2; i++) await assert.rejects(store.clearAlarm(SEEN, AT), hasFault('busy'));
  assert.equal(first?.opened, 1);
  assert.equal(second?.opened, 0);
});

test('before the first clearing on a server it catches up with its cluster; one that cannot is passed over', async (t) => {
  const isCatchingUp = (sql: string): boolean => /^SELECT 1 FROM STATUS_PROCESS/.test(sql);
  for (const behind of [refuse(1205), refuse(1047), 'silence'] as const) {
    const [first, second] = await servers(
      t,
      node((sql) => (isCatchingUp(sql) ? behind : undefined)),
      node(),
    );
    const store = storeOn(t, [first!, second!], { queryTimeoutMs: 1000 });
    for (let i = 0; i < 2; i++) assert.equal(await store.clearAlarm(SEEN, AT), 'cleared');
    assert.equal(first?.heard.filter(isClearing).length, 0);
    assert.deepEqual(second?.heard.filter((sql) => isClearing(sql) || isCatchingUp(sql)).map(isClearing), [false, true, true]);
  }
});

test('a clearing that has not begun moves on to the host that a poll has found', async (t) => {
  const isHere = (sql: string): boolean => sql.includes('FROM STATUS_PROCESS');
  const [first, second] = await servers(
    t,
    node((sql) => (sql.startsWith('SELECT 1 FROM STATUS_PROCESS') ? 'silence' : undefined)),
    node(),
  );
  const store = storeOn(t, [first!, second!], { queryTimeoutMs: 60_000, poolSize: 2 });
  await store.readAlarms();
  // Two wait for the server to catch up, and one for a connection.
  const clearings = [1, 2, 3].map(() => store.clearAlarm(SEEN, AT));
  await waitFor('two are there', () => first!.heard.filter((sql) => sql.startsWith('SELECT 1')).length === 2);
  first!.answer = node((sql) => (isHere(sql) ? refuse(1047) : undefined));
  await store.readAlarms();
  assert.deepEqual(await Promise.all(clearings), ['cleared', 'cleared', 'cleared']);
  assert.equal(first!.heard.filter(isClearing).length, 0);
});

const isProbe = (sql: string): boolean => sql.includes('@@global.read_only');
const readOnly = (value: number) => (sql: string) => (isProbe(sql) ? { rows: [{ readOnly: value, hasRows: 0 }] } : undefined);
const isAt = (store: MysqlStore, server: ScriptedMysql | undefined): boolean => store.description.includes(`:${server?.port}/`);

test('a host earlier in the list that answers again gets the calls back, and old connections end', async (t) => {
  const [first, second] = await servers(
    t,
    node((sql) => (isPoll(sql) || isProbe(sql) ? refuse(1047) : undefined)),
    node(readOnly(0)),
  );
  const store = storeOn(t, [first!, second!], { failbackMs: 400 });
  await store.readAlarms();
  assert.ok(isAt(store, second));
  await waitFor('it is asked', () => (first?.heard.filter(isProbe).length ?? 0) >= 3);
  assert.ok(isAt(store, second), 'not while it refuses');
  const startedMs = performance.now();
  first!.answer = node(readOnly(0));
  await waitFor('the first is in use', () => isAt(store, first));
  assert.ok(performance.now() - startedMs >= 200, 'after half of failback at the earliest');
  const polls = second?.heard.length;
  await store.readAlarms();
  assert.equal(await store.clearAlarm(SEEN, AT), 'cleared');
  assert.equal(second?.heard.length, polls);
  const probes = first?.heard.filter(isProbe).length;
  await failbackTime(t, 400);
  assert.equal(first?.heard.filter(isProbe).length, probes, 'it is asked no more');
});

/** Lasts as long as a store with that `failback` takes to ask a host again, twice. */
async function failbackTime(t: TestContext, failbackMs: number): Promise<void> {
  const gone = node((sql) => (isPoll(sql) || isProbe(sql) ? refuse(1047) : undefined));
  const [first, second] = await servers(t, gone, node(readOnly(0)));
  await storeOn(t, [first!, second!], { failbackMs }).readAlarms();
  await waitFor('it is asked again', () => (first?.heard.filter(isProbe).length ?? 0) >= 2);
}

test('failback = 0: never', async (t) => {
  const [first, second] = await servers(
    t,
    node((sql) => (isPoll(sql) ? refuse(1047) : undefined)),
    node(),
  );
  const store = storeOn(t, [first!, second!], { failbackMs: 0 });
  await store.readAlarms();
  await failbackTime(t, 100);
  assert.equal(first?.heard.filter(isProbe).length, 0);
});

test('a read-only host does not get the calls back from one that takes writes, but from one that does not', async (t) => {
  for (const present of [0, 1]) {
    const gone = (sql: string): ScriptedAnswer | undefined => (isPoll(sql) ? refuse(3796) : readOnly(1)(sql));
    const [first, second] = await servers(t, member(gone), member(readOnly(present)));
    const store = storeOn(t, [first!, second!], { failbackMs: 100 });
    await store.readAlarms();
    first!.answer = member(readOnly(1));
    if (present === 0) {
      await waitFor('the present one was asked twice', () => (second?.heard.filter(isProbe).length ?? 0) >= 2);
      assert.ok(isAt(store, second));
    } else await waitFor('the first is in use', () => isAt(store, first));
  }
});
