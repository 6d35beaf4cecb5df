import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { StoreError } from '../../../src/core/errors.ts';
import { createSchema } from '../../../src/stores/sqlite/store.ts';
import { ordersOf } from '../../helpers/bound-orders.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

test('a hold on a name that neither a row nor a section has is refused', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n');
  const orders = ordersOf(core);
  assert.equal((await orders.hold('wbe', undefined, '')).kind, 'refused');
  assert.equal((await orders.hold('web', undefined, '')).kind, 'done');
  assert.equal((await orders.hold(undefined, 1000, '')).kind, 'done');
  assert.deepEqual(
    core.holds.list().map(({ name }) => name),
    ['web', null],
  );
});

test('a process called `*` is one like any other to hold and release', async (t) => {
  const section = 'restart_strategy = custom\nrestart_command = true\n';
  const core = await coreWith(t, tempDir(t), `[process.*]\n${section}[process.web]\n${section}`);
  const orders = ordersOf(core);
  await orders.hold(undefined, undefined, 'upgrade');
  await orders.hold('*', 1000, 'mine');
  assert.deepEqual(
    core.holds.list().map(({ name, reason }) => [name, reason]),
    [
      [null, 'upgrade'],
      ['*', 'mine'],
    ],
  );
  const stillHeld = 'on hold with all others until released: upgrade';
  assert.deepEqual(await orders.release('*'), { kind: 'done', released: ['*'], stillHeld });
  await orders.hold('*', undefined, '');
  assert.deepEqual(await orders.release(undefined), { kind: 'done', released: [null, '*'] });
  await orders.hold('*', undefined, '');
  assert.equal(core.holds.reason('web'), undefined);
});

test('a name cannot pass for the giver of an order', async (t) => {
  const dir = tempDir(t);
  const sly = 'web by root (monitor_client), until 2026-12-01 00:00:00: x';
  const core = await coreWith(t, dir, '');
  addRows(dir, ['web', sly], false);
  const lines: string[] = [];
  const say = (message: string): void => void lines.push(message);
  Object.assign(core.log, { info: say, warning: say });
  const orders = ordersOf(core);
  for (const name of [sly, 'web']) {
    await orders.hold(name, undefined, '');
    await orders.release(name);
    await orders.alarm(name, false, undefined);
    for (let i = 0; i < core.settings().monitor.maxRestartFailures; i++)
      core.breakers.failed(name, { processId: '7', processName: name, systemName: name, systemNameConfigured: false });
    await orders.resetBreakers(name);
    await orders.recover(name);
  }
  const told = lines.filter((line) => / by /.test(line)).map((line) => line.replaceAll(/ by [^"]*$/g, ''));
  for (const shown of [JSON.stringify(sly), 'web'])
    for (const words of ['Hold set for', 'Hold released for', 'Circuit breaker closed for', 'RESTART LOG: Restart of'])
      assert.ok(
        told.some((line) => line.startsWith(`${words} ${shown}`)),
        `${words} ${shown} in\n${told.join('\n')}`,
      );
});

test('what the store does not let us write is refused as denied, not as a conflict', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '');
  addRows(dir, ['web'], false);
  const store = core.store();
  const denied = (): Promise<never> => Promise.reject(new StoreError('denied', 'UPDATE command denied'));
  store.raiseAlarm = denied;
  store.dropAlarm = denied;
  for (const clear of [false, true]) {
    const reply = await ordersOf(core).alarm('web', clear, undefined);
    assert.deepEqual(reply, { kind: 'refused', code: 'denied', reason: 'UPDATE command denied' });
  }
});

test('a circuit breaker is reset by every name that configuration, database or state know, and by no other', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.configured]\n');
  addRows(dir, ['row'], false);
  const orders = ordersOf(core);
  for (let i = 0; i < core.settings().monitor.maxRestartFailures; i++) {
    const process = { processId: '7', processName: 'deleted', systemName: 'deleted', systemNameConfigured: false };
    core.breakers.failed('unit deleted', process);
  }
  core.holds.set('held', undefined, '');
  assert.deepEqual(await orders.resetBreakers('deleted'), { kind: 'done', reset: ['deleted'] });
  for (const name of ['deleted', 'configured', 'row', 'held'])
    assert.deepEqual(await orders.resetBreakers(name), { kind: 'done', reset: [] }, name);
  const reason = 'no process named "dleeted" in the database or the configuration';
  assert.deepEqual(await orders.resetBreakers('dleeted'), { kind: 'refused', code: 'not_found', reason });
});

test('an alarm that finds no row says how to create one, and that statement works', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, "[process.it's]\n[process.half]\n[process.a\\b]\n");
  addRows(dir, ['row'], false);
  const database = new DatabaseSync(join(dir, 'a.db'));
  t.after(() => database.close());
  database.exec("INSERT INTO PROCESE VALUES (5, 'half')");
  const { alarm } = ordersOf(core);
  for (const [name, what] of [
    ["it's", "it's has a section, but no row in the database: an alarm needs one"],
    ['half', 'half is in PROCESE (process_id 5), but has no row in STATUS_PROCESS: it can have no alarm'],
  ] as const) {
    const reply = await alarm(name, false, undefined);
    assert(reply.kind === 'refused');
    const [, told, inserts = ''] = /^(.*?) \((INSERT .*)\)$/.exec(reply.reason) ?? [];
    assert.equal(told, what);
    database.exec(inserts);
    assert.equal((await alarm(name, false, undefined)).kind, 'done');
  }
  const odd = await alarm('a\\b', false, undefined);
  // A backslash is another text to each database.
  assert.equal(odd.kind === 'refused' && odd.reason.endsWith('an alarm needs one'), true);
});

const isRoot = process.getuid?.() === 0;

test('match shows every command as it would run, with its limit and whose name it holds', async (t) => {
  const dir = tempDir(t);
  const section = `[process.web]
restart_strategy = custom
system_name = webd
command_timeout = 30
health_check_timeout = 7
pre_restart_command = nginx -t; date +%%s
restart_command = restart %s
health_check_command = pgrep -x %s
health_check_tcp = 127.0.0.1:1
[process.other one]
restart_strategy = custom
pre_restart_command = check %s
restart_command = restart "$MONITOR_PROCESS_NAME"
health_check_command = pgrep %s
health_check_url = http://127.0.0.1/%%s
`;
  const core = await coreWith(t, dir, section);
  addRows(dir, ['web', 'other one'], false);
  const web = await ordersOf(core).preview('web');
  assert(web.kind === 'done', JSON.stringify(web));
  assert.deepEqual(web.commands, [
    { key: 'pre_restart_command', line: 'nginx -t; date +%s', name: null, limitMs: 30_000, user: null },
    { key: 'restart_command', line: 'restart webd', name: 'webd', limitMs: 30_000, user: null },
    { key: 'health_check_command', line: 'pgrep -x webd', name: 'webd', limitMs: 7000, user: null },
  ]);
  assert.deepEqual([web.starts, web.refusals], [['restart_command: restart webd'], []]);
  // Whatever could not run for its name's sake is a refusal, as at the restart, the health check first.
  const other = await ordersOf(core).preview('other one');
  assert(other.kind === 'done', JSON.stringify(other));
  assert.deepEqual(
    other.commands?.map(({ key, line }) => [key, line]),
    [['restart_command', 'restart "$MONITOR_PROCESS_NAME"']],
  );
  assert.deepEqual(
    other.refusals.map((reason) => reason.replace(/: .*/, '')),
    ['health_check_command', 'pre_restart_command'],
  );
});

test('match shows a start_command with the user who runs it, and no stop_command if nothing runs', async (t) => {
  const dir = tempDir(t);
  const name = 'match-shows-commands';
  const section = `[process.${name}]\nrestart_strategy = process\nuser = root\nstart_command = exec /opt/%s\nstop_command = /opt/stop %s\n`;
  const core = await coreWith(t, dir, section);
  const preview = await ordersOf(core).preview(name);
  assert(preview.kind === 'done', JSON.stringify(preview));
  assert.deepEqual(preview.commands, [{ key: 'start_command', line: `exec /opt/${name}`, name, limitMs: null, user: 'root' }]);
});

test('match says that /proc hides processes wherever they are looked at', { skip: !isRoot }, async (t) => {
  const dir = tempDir(t);
  const sections = ['process', 'service', 'custom', 'custom\nwatch_exit = true'].map(
    (strategy, i) => `[process.p${i}]\nrestart_command = true\nrestart_strategy = ${strategy}\n`,
  );
  const database = `[database]\ndriver = sqlite\npath = ${dir}/a.db\n[monitor]\nstate_dir = ${dir}/state\n[logging]\nfile =\n`;
  const file = join(dir, 'config.ini');
  writeFileSync(file, `${database}[control]\nsocket = ${dir}/sock\n${sections.join('')}`, { mode: 0o600 });
  createSchema(new DatabaseSync(join(dir, 'a.db')));
  const main = join(import.meta.dirname, '../../../src/main.ts');
  const matches = [0, 1, 2, 3]
    .map((i) => `"${process.execPath}" "${main}" match p${i} --config "${file}" 2>&1; echo;`)
    .join(' ');
  const asOther = 'setpriv --regid=65534 --clear-groups --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace';
  const line = `mount -t proc -o hidepid=2 proc /proc && exec ${asOther} sh -c '${matches}'`;
  const said = execFileSync('unshare', ['--mount', 'sh', '-c', line], { encoding: 'utf8' });
  assert.deepEqual(
    said
      .trim()
      .split('\n\n')
      .map((text) => /hidepid=/.test(text)),
    [true, false, false, true],
    said,
  );
});

test('while the store is away, nobody is called unknown', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.configured]\n');
  const store = core.store();
  const clock = { ...core.clock, sleep: async () => {} };
  const faults: [() => Promise<never>, Partial<Core>, string, RegExp][] = [
    [() => Promise.reject(new StoreError('unreachable', 'refused')), {}, 'unavailable', /: refused$/],
    [() => Promise.reject(new StoreError('denied', 'SELECT denied')), {}, 'denied', /: SELECT denied$/],
    [() => new Promise(() => {}), { clock }, 'unavailable', /has not answered within 2 s$/],
  ];
  for (const [findProcesses, changes, code, said] of faults) {
    store.findProcesses = findProcesses;
    const reply = await ordersOf({ ...core, ...changes }).resetBreakers('row');
    assert(reply.kind === 'refused');
    assert.equal(reply.code, code);
    assert.match(reply.reason, /^it is not known whether a process named "row" exists: /);
    assert.match(reply.reason, said);
    assert.equal((await ordersOf({ ...core, ...changes }).resetBreakers('configured')).kind, 'done');
    assert.equal((await ordersOf({ ...core, ...changes }).hold('configured', undefined, '')).kind, 'done');
    // A recovery and a preview wait for as long as the store lets them.
    const waiting = 'clock' in changes ? [] : (['recover', 'preview'] as const);
    for (const order of ['hold', 'release', 'unpin', 'pins', ...waiting] as const) {
      const refused = await ordersOf({ ...core, ...changes })[order]('another', undefined, '');
      assert(refused.kind === 'refused', order);
      assert.equal(refused.code, code, order);
      assert.match(refused.reason, /^it is not known whether a process named "another" exists: /, order);
    }
  }
});

/** What match says of that name. */
async function matched(core: Core, name: string) {
  const reply = await ordersOf(core).preview(name);
  return reply.kind === 'done' ? reply : assert.fail(JSON.stringify(reply));
}

const COMMANDED = 'restart_strategy = custom\nrestart_command = true\n';

test('match says what is not touched, what only observe mode leaves alone, and which section rules', async (t) => {
  const dir = tempDir(t);
  const only = await coreWith(t, dir, `[monitor]\nonly_configured = true\n[process.default]\n${COMMANDED}[process.own]\n`);
  addRows(dir, ['own', 'stranger'], true);
  assert.deepEqual((await matched(only, 'own')).refusals, []);
  assert.deepEqual((await matched(only, 'stranger')).refusals, ['it has no section of its own (only_configured)']);

  const observed = await coreWith(t, tempDir(t), `[monitor]\nmode = observe\n[process.own]\n${COMMANDED}`);
  const own = await matched(observed, 'own');
  assert.deepEqual([own.refusals, own.starts.length], [[], 1]);
  assert.match(own.warnings?.[0] ?? '', /^mode = observe: nothing is restarted/);

  const section = (name: string, command: string) =>
    `[process.${name}]\nrestart_strategy = custom\nsystem_name = nginx\nrestart_command = ${command}\n`;
  const twins = await coreWith(t, tempDir(t), `${section('web', 'restart first')}${section('www', 'restart second')}`);
  const www = await matched(twins, 'www');
  assert.deepEqual(www.starts, ['restart_command: restart first'], 'as it will be restarted');
  assert.ok(
    www.warnings?.includes('[process.web] has the same target, comes first in the file and applies to both'),
    JSON.stringify(www.warnings),
  );
  const web = await matched(twins, 'web');
  assert.deepEqual(web.starts, ['restart_command: restart first']);
  assert.ok(!JSON.stringify(web).includes('rules'), JSON.stringify(web));
});

test('what is tried and fails is distinguished from what is not tried, also by match', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(
    t,
    dir,
    `[process.a b]
restart_strategy = custom
restart_command = restart %s
[process.broken]
restart_strategy = custom
[process.db]
${COMMANDED}[process.web]
depends_on = db
${COMMANDED}[process.fine]
${COMMANDED}`,
  );
  addRows(dir, ['a b', 'broken', 'db', 'web', 'fine'], false);
  const orders = ordersOf(core, { daemonRuns: true });
  await core.monitor.look();
  const raised = async (name: string) => {
    const reply = await orders.alarm(name, false, undefined);
    assert(reply.kind === 'done', JSON.stringify(reply));
    const [{ willNotFollow, willFail } = assert.fail(name)] = reply.processes;
    return { willNotFollow, willFail };
  };
  const spaced = await raised('a b');
  assert.equal(spaced.willNotFollow, undefined);
  assert.match(spaced.willFail?.join() ?? '', /^restart_command: .*cannot stand for %s/);
  const shown = await matched(core, 'a b');
  assert.deepEqual([shown.refusals, shown.failures], [spaced.willFail, spaced.willFail]);

  const broken = await raised('broken');
  assert.equal(broken.willFail, undefined);
  assert.match(broken.willNotFollow?.join() ?? '', /restart_command/);
  const refused = await matched(core, 'broken');
  assert.deepEqual([refused.refusals, refused.failures], [broken.willNotFollow, undefined]);

  assert.deepEqual(await raised('fine'), { willNotFollow: undefined, willFail: undefined });
  // It waits for one that is held: as long as that is so, it is not restarted either.
  core.holds.set('db', undefined, 'moving');
  await raised('db');
  await core.monitor.tick();
  await core.handler.idle();
  assert.deepEqual(await raised('web'), {
    willNotFollow: ['it depends on db, which is not well: on hold: moving'],
    willFail: undefined,
  });
});

test('an alarm that does not stand is not said, logged or remembered to have been ended', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.kept]\n');
  addRows(dir, ['well', 'acknowledged', 'kept'], false);
  const database = new DatabaseSync(join(dir, 'a.db'));
  database.exec('UPDATE STATUS_PROCESS SET alarma = 1, sound = 1 WHERE process_id = 2');
  core.state.kept.set({ processName: 'kept', notes: 'gone', raisedAt: new Date(), doubtfulRows: [] });
  const orders: string[] = [];
  core.events.subscribe((event) => event.type === 'order_given' && orders.push(`${event.order} ${event.name}`));
  const log = new RecordedLog();
  const clear = (name: string, notes?: string) => ordersOf({ ...core, log }).alarm(name, true, notes);
  assert.deepEqual(await clear('well'), { kind: 'done', processes: [{ id: '1', name: 'well', wasNotInAlarm: true }] });
  assert.deepEqual([orders, log.lines], [[], []]);
  // What is to be written is written all the same.
  await clear('well', 'looked at');
  assert.deepEqual(orders, []);
  assert.match(log.of('info').join('\n'), /^DB UPDATE LOG: Notes written for well \(ID: 1\) by root \(test\): looked at$/);
  assert.equal(database.prepare('SELECT notes FROM STATUS_PROCESS WHERE process_id = 1').get()?.notes, 'looked at');
  database.close();

  assert.deepEqual(await clear('acknowledged'), { kind: 'done', processes: [{ id: '2', name: 'acknowledged' }] });
  assert.deepEqual(await clear('kept'), { kind: 'done', processes: [{ id: '3', name: 'kept' }] });
  assert.deepEqual(orders, ['alarm_clear acknowledged', 'alarm_clear kept']);
});

test('for a name that differs from a known one only by letter case or a hyphen, the answer names that one', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(
    t,
    dir,
    `[process.web]\n${COMMANDED}[process.my_worker]\n${COMMANDED}[process.job]\n${COMMANDED}`,
  );
  addRows(dir, ['Queue', 'JOB'], false);
  const orders = ordersOf(core);
  for (const [name, meant] of Object.entries({ Web: 'web', 'My-Worker': 'my_worker', queue: 'Queue', wbe: undefined }))
    for (const order of ['alarm', 'recover', 'preview', 'hold', 'resetBreakers'] as const) {
      const reply = await orders[order](name, false as never, undefined as never);
      const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
      const reason = `no process named "${name}" in the database or the configuration${hint}`;
      assert.deepEqual(reply, { kind: 'refused', code: 'not_found', reason }, `${order} ${name}`);
    }
  // It has a row, and a section that is not its own.
  const near = '[process.job] is not for "JOB": names are compared letter by letter';
  assert.ok((await matched(core, 'JOB')).warnings?.includes(near));
  assert.ok(!(await matched(core, 'job')).warnings?.some((warning) => warning.includes('letter by letter')));

  const only = await coreWith(t, tempDir(t), `[monitor]\nonly_configured = true\n[process.job]\n${COMMANDED}`);
  only.store().findProcesses = core.store().findProcesses.bind(core.store());
  const leftAlone = `it has no section of its own (only_configured): ${near}`;
  assert.equal((await matched(only, 'JOB')).refusals[0], leftAlone);
  assert.deepEqual(await ordersOf(only).recover('JOB'), { kind: 'skipped', reason: leftAlone });
});

test('release says what still holds', async (t) => {
  const section = `restart_strategy = custom\nsystem_name = nginx\nrestart_command = true\n`;
  const core = await coreWith(t, tempDir(t), `[process.web]\n${section}[process.www]\n${section}[process.db]\n${COMMANDED}`);
  const orders = ordersOf(core);
  for (const name of ['web', null]) core.holds.set(name, undefined, name === null ? 'upgrade' : '');
  const all = 'on hold with all others until released: upgrade';
  assert.deepEqual(await orders.release('web'), { kind: 'done', released: ['web'], stillHeld: all });
  assert.deepEqual(await orders.release('db'), { kind: 'done', released: [], stillHeld: all });
  core.holds.release(undefined);
  core.holds.set('www', undefined, '');
  const through = 'on hold through www until released';
  assert.deepEqual(await orders.release('web'), { kind: 'done', released: [], stillHeld: through });
  assert.deepEqual(await orders.release('www'), { kind: 'done', released: ['www'] });
  assert.deepEqual(await orders.release('web'), { kind: 'done', released: [] });
  core.holds.set('db', undefined, '');
  assert.deepEqual(await orders.release(undefined), { kind: 'done', released: ['db'] });
});
