import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { cliBackends } from '../../../src/app/cli-backends.ts';
import { resolveName } from '../../../src/strategies/recovery-plan.ts';
import { ordersOf } from '../../helpers/bound-orders.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import type { RecordedLog } from '../../helpers/recorded-log.ts';
import { knownUnits } from './runs.ts';
import { property, systemctl } from './watched-unit.ts';

// Which units a name may touch, all of the river but the daemon. Runs under a real systemd, where it is PID 1: see transient.test.ts.

const SLEEP = ['[Service]', 'ExecStart=/bin/sleep 600'];

/** Which life of the unit it is: it stays the same only if nothing was started or restarted. */
function life(unit: string): string {
  return `${property(unit, 'ActiveState')} ${property(unit, 'InvocationID')} ${property(unit, 'MainPID')}`;
}

/** Unit files by their names; gone after the test, with what runs of them. */
function defineUnits(t: TestContext, files: Readonly<Record<string, readonly string[]>>): void {
  const paths = Object.keys(files).map((name) => `/run/systemd/system/${name}`);
  for (const [i, lines] of Object.values(files).entries()) writeFileSync(paths[i] ?? '', `${lines.join('\n')}\n`);
  systemctl('daemon-reload');
  t.after(() => {
    const loaded = Object.keys(files).flatMap((name) => (name.includes('@') ? [] : [name]));
    systemctl('stop', ...loaded, ...instances(files));
    for (const path of paths) rmSync(path, { force: true });
    systemctl('daemon-reload');
  });
}

function instances(files: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(files)
    .filter((name) => name.includes('@.'))
    .map((name) => name.replace('@.', '@*.'));
}

/** A daemon's river with rows in alarm; ids from 1 in the order of `names`. */
async function open(t: TestContext, names: readonly string[], sections = '') {
  const dir = mkdtempSync('/var/lib/units-test-');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const core = await coreWith(t, dir, sections);
  addRows(dir, names, true);
  const orders = ordersOf(core);
  t.after(async () => {
    for (const name of names) await core.execution.programs.retire(name, 10_000, new AbortController().signal);
  });
  return {
    core,
    orders,
    file: join(dir, 'config.ini'),
    /** One turn of the loop, and everything that follows from it. */
    poll: async () => {
      await core.monitor.tick();
      await core.handler.idle();
    },
    reason: (name: string) => core.book.get(`row ${names.indexOf(name) + 1}`)?.skip?.reason,
    inAlarm: (name: string) => {
      const database = new DatabaseSync(join(dir, 'a.db'), { readOnly: true });
      const row = database.prepare('SELECT alarma FROM STATUS_PROCESS WHERE process_id = ?').get(names.indexOf(name) + 1);
      database.close();
      return row?.alarma === 1;
    },
  };
}

function warnings({ log }: Core): string {
  return (log as RecordedLog).of('warning').join('\n');
}

test('a mask means no, with start_command and restart_command too, and nothing of it is begun', async (t) => {
  symlinkSync('/dev/null', '/run/systemd/system/maskd.service');
  symlinkSync('/dev/null', '/run/systemd/system/maskd@.service');
  systemctl('daemon-reload');
  t.after(() => {
    for (const name of ['maskd', 'maskd@']) rmSync(`/run/systemd/system/${name}.service`);
    systemctl('daemon-reload');
  });
  const mark = join(mkdtempSync('/var/lib/mask-test-'), 'ran');
  t.after(() => rmSync(dirname(mark), { recursive: true, force: true }));
  const command = `touch ${mark}; exec -a maskd sleep 600`;
  for (const [name, section] of [
    ['maskd', `restart_strategy = auto\nstart_command = ${command}\npre_restart_command = touch ${mark}\n`],
    ['maskd', `restart_strategy = service\nrestart_command = touch ${mark}\n`],
    ['other', `system_name = maskd.service\nrestart_strategy = auto\nstart_command = ${command}\n`],
    ['other', `system_name = /opt/m/maskd\nrestart_strategy = auto\nstart_command = ${command}\n`],
    ['maskd', `system_name = own-build\nrestart_strategy = auto\nstart_command = ${command}\n`],
    ['maskd@x', `restart_strategy = auto\nstart_command = ${command}\n`],
  ] as const) {
    const { poll, reason, inAlarm, orders, file } = await open(t, [name], `[process.${name}]\n${section}`);
    const masked = name === 'maskd@x' ? 'maskd@x.service is masked' : 'maskd.service is masked';
    await poll();
    assert.equal(reason(name), masked);
    assert.equal(inAlarm(name), true);
    assert.deepEqual(await orders.recover(name), { kind: 'skipped', reason: masked });
    assert.equal(existsSync(mark), false, section);
    const { problems } = await cliBackends.checkConfig(file, { database: false });
    assert.match(problems.map(({ problem }) => problem).join('\n'), /is masked: it is not restarted, nor started by/);
  }
  assert.deepEqual(knownUnits('monitor_service-app-*'), []);
});

/** ExecStart= of a program that calls itself so, all else as SLEEP. */
function daemonOf(name: string): readonly string[] {
  return ['[Service]', `ExecStart=/bin/bash -c "exec -a ${name} sleep 600"`];
}

test('the mask of the unit that a program lives in means no too', async (t) => {
  defineUnits(t, { 'xu.service': daemonOf('xud') });
  systemctl('start', 'xu');
  rmSync('/run/systemd/system/xu.service');
  symlinkSync('/dev/null', '/run/systemd/system/xu.service');
  systemctl('daemon-reload');
  const before = property('xu.service', 'MainPID');
  for (const section of ['', 'start_command = exec -a xud sleep 600\n']) {
    const { poll, reason, orders, file } = await open(t, ['xud'], `[process.xud]\nrestart_strategy = auto\n${section}`);
    await poll();
    assert.equal(reason('xud'), 'xu.service is masked');
    const preview = await orders.preview('xud');
    assert.deepEqual(preview.kind === 'done' && [preview.starts, preview.refusals], [[], ['xu.service is masked']]);
    assert.equal(property('xu.service', 'MainPID'), before);
    const { problems } = await cliBackends.checkConfig(file, { database: false });
    assert.match(
      problems.map(({ problem }) => problem).join('\n'),
      /xu\.service is masked: it is not restarted, nor started by/,
    );
  }
});

test('a section that says process or custom starts an own build beside a mask; match and check-config warn', async (t) => {
  symlinkSync('/dev/null', '/run/systemd/system/maskd.service');
  systemctl('daemon-reload');
  t.after(() => {
    rmSync('/run/systemd/system/maskd.service');
    systemctl('daemon-reload');
  });
  for (const section of [
    'restart_strategy = process\nstart_command = exec -a maskd sleep 600\n',
    'restart_strategy = custom\nrestart_command = true\n',
  ]) {
    const { poll, inAlarm, orders, file } = await open(t, ['maskd'], `[process.maskd]\n${section}`);
    const warning =
      /^maskd\.service is masked, so it should not run; restart_strategy = (?:process|custom) starts it nevertheless$/;
    const matched = await orders.preview('maskd');
    assert.ok(matched.kind === 'done');
    assert.match(matched.warnings?.join() ?? '', warning);
    assert.deepEqual(matched.refusals, []);
    const { problems } = await cliBackends.checkConfig(file, { database: false });
    const [problem] = problems.filter(({ key }) => key === 'restart_strategy');
    assert.equal(problem?.severity, 'warning');
    assert.match(problem.problem, warning);
    await poll();
    assert.equal(inAlarm('maskd'), false, section);
  }
});

test('a missing unit is reported by check-config and match; an existing one, and a name that is a program, are not', async (t) => {
  defineUnits(t, { 'thered.service': SLEEP });
  const sections =
    '[process.ghostd]\nrestart_strategy = service\n[process.thered]\nrestart_strategy = service\n' +
    '[process.alias]\nrestart_strategy = service\nsystem_name = ghostd2.service\n[process.prog]\nstart_command = exec -a prog sleep 600\n';
  const { orders, file } = await open(t, [], sections);
  const { problems } = await cliBackends.checkConfig(file, { database: false });
  const told = problems.map(({ severity, section, key, problem }) => `${severity} [${section}] ${key}: ${problem}`);
  assert.deepEqual(told, [
    'warning [process.ghostd] restart_strategy: there is no unit ghostd.service (expected one that systemd knows)',
    'warning [process.alias] system_name: there is no unit ghostd2.service (expected one that systemd knows)',
  ]);
  for (const [name, lines] of [
    ['ghostd', 1],
    ['thered', 0],
  ] as const) {
    const matched = await orders.preview(name);
    assert.ok(matched.kind === 'done');
    const warnings = (matched.warnings ?? []).filter((line) => line.includes('there is no unit'));
    assert.equal(warnings.length, lines, name);
    assert.equal(matched.refusals.length, lines, name);
  }
});

const EVIL = 'mariadb@x\\x20\\x2d\\x2dbasedir\\x3d-tmp-evil';

test('a row alone changes nothing that does not exist, belongs to the system, or would stop another unit', async (t) => {
  defineUnits(t, {
    'mariadb@.service': ['[Service]', 'ExecStartPre=/bin/sh -c "echo %I > /run/evil"', 'ExecStart=/bin/sleep 600'],
    'disabled.service': [...SLEEP, '[Install]', 'WantedBy=multi-user.target'],
    'rival.service': ['[Unit]', 'Conflicts=victim.service', ...SLEEP],
    'rival-enabled.service': ['[Unit]', 'Conflicts=victim.service', ...SLEEP, '[Install]', 'WantedBy=multi-user.target'],
    'far.service': ['[Unit]', 'Requires=rival.service', ...SLEEP, '[Install]', 'WantedBy=multi-user.target'],
    'rebooter.service': ['[Unit]', 'FailureAction=reboot', ...SLEEP, '[Install]', 'WantedBy=multi-user.target'],
    'victim.service': SLEEP,
    'gone.service': SLEEP,
    // What does something to the machine if it fails can be stopped here all the same.
    'base.service': SLEEP,
    'front.service': ['[Unit]', 'Requires=base.service', 'After=base.service', 'FailureAction=exit', ...SLEEP],
    'whole.service': SLEEP,
    'part.service': ['[Unit]', 'PartOf=whole.service', 'After=whole.service', 'FailureAction=exit', ...SLEEP],
    'asked.service': SLEEP,
    'asks.service': ['[Unit]', 'Requisite=asked.service', 'After=asked.service', 'FailureAction=exit', ...SLEEP],
    'stops.service': ['[Unit]', 'PropagatesStopTo=victim.service', ...SLEEP],
    'ends.service': ['[Unit]', 'OnSuccess=bridge.service', ...SLEEP],
    'bridge.service': ['[Unit]', 'Wants=suspend.target', '[Service]', 'Type=oneshot', 'ExecStart=/bin/false'],
  });
  systemctl('enable', '--runtime', 'rival-enabled', 'far', 'rebooter', 'mariadb@made');
  systemctl('mask', '--runtime', 'systemd-suspend.service');
  t.after(() => systemctl('unmask', '--runtime', 'systemd-suspend.service'));
  systemctl('start', 'victim', 'mariadb@running', 'front', 'whole', 'part', 'asked', 'stops', 'ends');
  systemctl('start', 'asks');
  rmSync('/run/evil', { force: true });
  const left = [EVIL, 'modprobe@loop', 'user@0', 'serial-getty@ttyS0', 'mariadb@new', 'disabled', 'gone.service', 'rival'];
  const along = ['base', 'whole', 'asked', 'stops', 'ends'];
  const judged = ['rival-enabled', 'far', 'rebooter', 'systemd-journald', 'dbus', ...along];
  const units = [...left, ...judged, 'victim', 'front', 'part', 'asks'].map((name) =>
    name.endsWith('.service') ? name : `${name}.service`,
  );
  const before = units.map(life);
  for (const strategy of ['auto', 'service']) {
    const names = [...left, ...judged];
    const { poll, reason, inAlarm, file, orders } = await open(t, names, `[process.default]\nrestart_strategy = ${strategy}\n`);
    await poll();
    for (const name of names) {
      assert.ok(reason(name), name);
      assert.equal(inAlarm(name), true, name);
      assert.equal((await orders.recover(name)).kind, 'skipped', name);
    }
    assert.deepEqual(units.map(life), before);
    assert.equal(existsSync('/run/evil'), false);
    assert.match(reason('disabled') ?? '', /^disabled\.service is neither active nor enabled; /);
    assert.match(reason('rival-enabled') ?? '', /would stop victim\.service, which is active \(Conflicts=\)/);
    assert.match(reason('far') ?? '', /^the start of rival\.service would stop victim\.service/);
    assert.match(reason('rebooter') ?? '', /^rebooter\.service has FailureAction=reboot; /);
    for (const [name, other] of [
      ['base', 'front'],
      ['whole', 'part'],
      ['asked', 'asks'],
    ] as const)
      assert.ok(
        reason(name)?.startsWith(
          `${other}.service has FailureAction=exit (${other}.service is restarted with ${name}.service); `,
        ),
        reason(name),
      );
    assert.match(
      reason('stops') ?? '',
      /^the restart of stops\.service would stop victim\.service, .* \(PropagatesStopTo=\); /,
    );
    assert.match(reason('ends') ?? '', /^suspend\.target changes the state of the whole machine \(bridge\.service is started/);
    const { database, unnamed } = await cliBackends.checkConfig(file, { database: true });
    assert.ok(database?.kind === 'ok');
    assert.deepEqual(
      database.leftAlone?.processes.map(({ name }) => name),
      names,
    );
    assert.match(unnamed ?? '', /neither active nor enabled/);
  }
});

test('a row alone touches no program either whose unit it may not touch, and check-config names it', async (t) => {
  defineUnits(t, {
    'actor.service': ['[Unit]', 'FailureAction=exit', ...daemonOf('actord')],
    'serial-getty@.service': daemonOf('sgettyd'),
    'rival.service': daemonOf('rivald'),
    'well.service': daemonOf('welld'),
  });
  systemctl('start', 'actor', 'serial-getty@ttyS9', 'rival', 'well');
  const names = ['actord', 'sgettyd', 'rivald', 'welld'];
  for (const strategy of ['auto', 'process']) {
    const section = `[process.default]\nrestart_strategy = ${strategy}\n`;
    systemctl('start', 'rival');
    const { core, poll, reason, orders, file, inAlarm } = await open(t, names, section);
    for (const name of names) await resolveName(core.plans(), name, core.abort.signal);
    systemctl('stop', 'rival');
    const before = ['actor', 'serial-getty@ttyS9', 'rival'].map((name) => life(`${name}.service`));
    await poll();
    assert.match(reason('actord') ?? '', /^actor\.service has FailureAction=exit; /);
    assert.match(reason('sgettyd') ?? '', /^"serial-getty@ttyS9\.service" is a service of the system itself: /);
    assert.match(reason('rivald') ?? '', /^rival\.service is neither active nor enabled; /);
    assert.deepEqual([reason('welld'), inAlarm('welld')], [undefined, false]);
    for (const name of ['actord', 'sgettyd', 'rivald']) {
      assert.equal((await orders.recover(name)).kind, 'skipped', name);
      const preview = await orders.preview(name);
      assert.deepEqual(preview.kind === 'done' && preview.refusals, [reason(name)]);
    }
    assert.deepEqual(
      ['actor', 'serial-getty@ttyS9', 'rival'].map((name) => life(`${name}.service`)),
      before,
    );
    assert.doesNotMatch(warnings(core), /Attempt/);
    // What is not running it knows by the state_dir alone.
    const { database } = await cliBackends.checkConfig(file, { database: true });
    assert.ok(database?.kind === 'ok');
    assert.deepEqual(
      database.leftAlone?.processes.map(({ name }) => name),
      ['actord', 'sgettyd', 'rivald'],
    );
  }
});

test('a row alone restarts what is there: active, failed, enabled, an instance that runs or is enabled', async (t) => {
  defineUnits(t, {
    'made@.service': [...SLEEP, '[Install]', 'WantedBy=multi-user.target'],
    'running.service': SLEEP,
    'broken.service': ['[Service]', 'ExecStart=/bin/sh -c "[ -e /run/mended ] && exec sleep 600; exit 1"'],
    'enabled.service': [...SLEEP, '[Install]', 'WantedBy=multi-user.target'],
    'wanting.service': ['[Unit]', 'Wants=wanted.service', ...SLEEP],
    'wanted.service': ['[Service]', 'Type=oneshot', 'ExecStart=/bin/true'],
    'own.service': SLEEP,
  });
  systemctl('enable', '--runtime', 'enabled', 'made@two');
  systemctl('start', 'running', 'made@one', 'wanting');
  execFileSync('sh', ['-c', 'systemctl start broken; until systemctl is-failed --quiet broken; do sleep 0.1; done']);
  writeFileSync('/run/mended', '');
  t.after(() => rmSync('/run/mended'));
  const names = ['running', 'broken', 'enabled', 'made@one', 'made@two', 'wanted', 'own'];
  const { poll, inAlarm, reason, orders } = await open(t, names, '[process.own]\n');
  const before = life('running.service');
  await poll();
  for (const name of names) assert.deepEqual([inAlarm(name), reason(name)], [false, undefined], name);
  assert.notEqual(life('running.service'), before);
  for (const name of ['broken', 'enabled', 'made@one', 'made@two', 'own'])
    assert.equal(property(`${name}.service`, 'ActiveState'), 'active', name);
  const preview = await orders.preview('made@two');
  assert.deepEqual(preview.kind === 'done' && preview.refusals, []);
});

for (const how of ['Requires', 'BindsTo', 'Upholds'])
  test(`what is on hold and down is not started through ${how}=, also further on`, async (t) => {
    defineUnits(t, {
      'front.service': ['[Unit]', `${how}=base-db.service`, ...SLEEP],
      'far.service': ['[Unit]', 'Requires=front.service', ...SLEEP],
      'wanting.service': ['[Unit]', 'Wants=front.service', ...SLEEP],
      'base-db.service': SLEEP,
    });
    if (property('front.service', how) === '') return t.skip(`this systemd has no ${how}=`);
    const names = ['front', 'far', 'wanting'];
    const sections = names.map((name) => `[process.${name}]\npre_restart_command = touch /run/begun\n`).join('');
    // Held by a name without a section, of a unit that is neither active nor enabled: it holds all the same.
    const { poll, reason, orders, core, inAlarm } = await open(t, [...names, 'base-db'], sections);
    assert.equal((await orders.hold('base-db', undefined, 'moving')).kind, 'done');
    await poll();
    for (const name of names) assert.match(reason(name) ?? '', /^that would start base-db, which is on hold \(.*\): moving$/);
    assert.match(reason('front') ?? '', new RegExp(`\\(front\\.service ${how}=base-db\\.service\\)`));
    for (const name of [...names, 'base-db']) assert.equal(property(`${name}.service`, 'ActiveState'), 'inactive', name);
    assert.equal(existsSync('/run/begun'), false);
    assert.equal((await orders.recover('front')).kind, 'skipped');
    // One that is up is not started by anybody.
    systemctl('start', 'base-db');
    const before = life('base-db.service');
    await poll();
    for (const name of names) assert.equal(inAlarm(name), false, `${name}: ${warnings(core)}`);
    assert.equal(life('base-db.service'), before);
    rmSync('/run/begun', { force: true });
  });

test('through Wants= alone it is started, and that is reported, unless the hold is strict', async (t) => {
  defineUnits(t, { 'front.service': ['[Unit]', 'Wants=base-db.service', ...SLEEP], 'base-db.service': SLEEP });
  const { poll, reason, orders, core, inAlarm } = await open(t, ['front', 'base-db'], '[process.front]\n[process.base-db]\n');
  assert.equal((await orders.hold('base-db', undefined, '', true)).kind, 'done');
  await poll();
  assert.match(reason('front') ?? '', /^that would start base-db, which is on hold \(front\.service Wants=base-db\.service\)$/);
  assert.equal(property('front.service', 'ActiveState'), 'inactive');
  const strictly = await orders.preview('front');
  assert.deepEqual(strictly.kind === 'done' && [strictly.refusals, strictly.warnings], [[reason('front')], undefined]);
  await orders.hold('base-db', undefined, '');
  const matched = await orders.preview('front');
  assert.deepEqual(matched.kind === 'done' && [matched.refusals, matched.warnings], [[], [reason('front')]]);
  await poll();
  assert.equal(inAlarm('front'), false);
  assert.match(warnings(core), /RESTART LOG: Restarting front: that would start base-db, which is on hold/);
  assert.equal(property('base-db.service', 'ActiveState'), 'active');
});

test('what is on hold under another name, or needed by what is restarted along, stays down too', async (t) => {
  defineUnits(t, {
    'base.service': SLEEP,
    'front.service': ['[Unit]', 'Requires=base.service', 'Wants=held.service', ...SLEEP],
    'held.service': SLEEP,
  });
  systemctl('start', 'front');
  systemctl('stop', 'held');
  const { poll, reason, orders } = await open(
    t,
    ['base', 'alias'],
    '[process.base]\n[process.alias]\nsystem_name = held.service\n',
  );
  await orders.hold('alias', undefined, '', true);
  const before = ['base', 'front', 'held'].map((name) => life(`${name}.service`));
  await poll();
  assert.equal(
    reason('base'),
    'that would start alias, which is on hold (front.service is restarted with base.service, front.service Wants=held.service)',
  );
  assert.deepEqual(
    ['base', 'front', 'held'].map((name) => life(`${name}.service`)),
    before,
  );
});
