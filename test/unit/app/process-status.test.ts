import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { goneNames } from '../../../src/app/gone-names.ts';
import { buildStatus, lookAtTargets, statusOfOne } from '../../../src/app/status.ts';
import type { Running } from '../../../src/app/watched-status.ts';
import type { ProcessStatus } from '../../../src/control/status.ts';
import { type ManagedProcess, type StoredAlarm, storedAlarm } from '../../../src/core/alarm.ts';
import { LastRecoveries } from '../../../src/monitor/history/last-recoveries.ts';
import type { StoreAvailability } from '../../../src/monitor/poll/store-watch.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** The process of that name as the status has it; `runs`: what the watch says of every one. */
function shown(core: Core, name: string, runs: Running = null, last = loaded(core)): ProcessStatus {
  const status = buildStatus(core, last, { version: '1', pid: 1, startedAt: null }, { runs: () => runs });
  const found = status.processes.find((process) => process.name === name);
  assert(found, name);
  return found;
}

/** As after a restart of the daemon. */
function loaded({ state }: Core): LastRecoveries {
  const last = new LastRecoveries(state.lastRecoveries);
  return last;
}

async function poll(core: Core): Promise<void> {
  await core.monitor.tick();
  await core.handler.idle();
}

function managed(processName: string, systemName = processName): ManagedProcess {
  return { processId: '1', processName, systemName, systemNameConfigured: true };
}

function inAlarm(processName: string): StoredAlarm {
  return storedAlarm({ processId: '1', processName, alarma: true, sound: false, notes: null, notesDigest: null });
}

test('while the store does not answer nobody is well: the rows that were read last stay, with their age', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[monitor]\nmode = observe\n[process.web]\n[process.db]\nwatch_exit = true\n');
  assert.deepEqual([shown(core, 'web').inAlarm, shown(core, 'web').state], [null, 'unknown']);
  assert.match(shown(core, 'web').reason ?? '', /not been read yet/);
  addRows(dir, ['web', 'db'], false);
  const database = new DatabaseSync(join(dir, 'a.db'));
  database.exec("UPDATE STATUS_PROCESS SET alarma = 1, notes = 'disk full' WHERE process_id = 1");
  database.close();
  await poll(core);
  const before = shown(core, 'web');
  assert.deepEqual([before.inAlarm, before.state, before.rows.length], [true, 'observed', 1]);
  assert.deepEqual([shown(core, 'db', true).inAlarm, shown(core, 'db', true).state], [false, 'ok']);
  writeFileSync(join(dir, 'a.db'), 'no database at all'.repeat(100));
  await poll(core);
  const status = buildStatus(core, loaded(core), { version: '1', pid: 1, startedAt: null });
  assert.equal(status.store.state, 'unknown');
  assert.ok(status.store.lastPollAt !== null && status.store.fault !== undefined, JSON.stringify(status.store));
  assert.equal(status.store.alarms, null);
  const after = shown(core, 'web');
  assert.deepEqual([after.inAlarm, after.state, after.rows], [null, 'unknown', before.rows]);
  assert.equal(after.rows[0]?.notes, 'disk full');
  assert.ok(Date.parse(after.rows[0]?.since ?? '') > 0);
  assert.match(after.reason ?? '', /^in alarm when the alarm store was read last/);
  const db = shown(core, 'db', true);
  assert.deepEqual([db.inAlarm, db.state, db.rows], [null, 'unknown', []]);
  assert.match(db.reason ?? '', /^not in alarm when/);
  // What the daemon keeps itself it knows without the store.
  core.state.kept.set({ processName: 'db', notes: 'exit code 1', raisedAt: new Date(5), doubtfulRows: [] });
  const kept = shown(core, 'db');
  assert.deepEqual([kept.inAlarm, kept.alarmKept, kept.state], [true, true, 'observed']);
  assert.deepEqual(kept.rows, [
    { processId: null, notes: 'exit code 1', since: new Date(5).toISOString(), acknowledged: false },
  ]);
});

test('a process that is not among the rows that were read is not known to be well while more are in alarm than are read', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n[process.www]\n');
  core.holds.set('unlisted', undefined, '');
  const of = (names: readonly string[], leftOut: number, doubtful: readonly string[] = []) => {
    const alarms = names.map(inAlarm);
    const availability: StoreAvailability = {
      state: 'ok',
      since: new Date(),
      lastPollAt: new Date(),
      alarms,
      leftOut,
      doubtful,
      remarks: [],
    };
    const monitor = new Proxy(core.monitor, {
      get: (target, key) => {
        const value: unknown = key === 'availability' ? availability : Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return ['web', 'www', 'unlisted'].map((name) => shown({ ...core, monitor }, name).inAlarm);
  };
  assert.deepEqual(of(['web'], 0), [true, false, false]);
  // There was no room behind those with a section: one of them may be among those that were left out.
  assert.deepEqual(of(['web'], 7), [true, null, null]);
  assert.deepEqual(of(['web', 'stranger'], 7), [true, false, null]);
  // Rows that share their process_id are left alone.
  assert.deepEqual(of(['web'], 0, ['www']), [true, null, false]);
});

test('what is watched and not known to run is not green, whether or not it ever ran', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\nwatch_exit = true\n[process.plain]\n');
  core.monitor.look();
  await poll(core);
  assert.deepEqual([shown(core, 'plain').state, shown(core, 'plain').watched], ['quiet', null]);
  assert.deepEqual([shown(core, 'web', null).state, shown(core, 'web', null).watched?.runs], ['unknown', null]);
  const never = shown(core, 'web', false);
  const nothing = { runs: false, stopped: false, pid: 0, since: null, exits: 0, lastExit: null };
  assert.deepEqual([never.state, never.watched], ['down', nothing]);
  assert.match(never.reason ?? '', /never seen/);
  const exit = { type: 'process_exited', processName: 'web', pid: 7, uptimeMs: 5, endedAt: new Date() } as const;
  core.lives.seen({ type: 'process_seen', processName: 'web', pid: 7, since: new Date(5) });
  assert.equal(shown(core, 'web', true).state, 'ok');
  // The daemon was away, and it has ended meanwhile.
  assert.deepEqual(
    [shown(core, 'web', false).state, shown(core, 'web', false).reason],
    ['down', 'does not run any more, and nobody saw it end'],
  );
  core.lives.exited({ ...exit, cause: 'signal SIGKILL', expected: false });
  assert.match(shown(core, 'web', false).reason ?? '', /^ended: signal SIGKILL, \d{4}-/);
  assert.equal(shown(core, 'web', false).state, 'down');
  core.holds.set('web', undefined, 'upgrade');
  assert.equal(shown(core, 'web', false).state, 'held');
  core.holds.release('web');
  core.lives.exited({ ...exit, cause: 'exit code 0', expected: true });
  const stopped = shown(core, 'web', false);
  assert.deepEqual([stopped.state, stopped.watched?.stopped], ['quiet', true]);
  assert.match(stopped.reason ?? '', /^stopped on purpose: exit code 0/);
  // Our own recovery has stopped it and did not bring it up: nobody wants that, also after a restart of the daemon.
  core.lives.exited({ ...exit, cause: 'signal SIGTERM', expected: true, ours: true });
  for (const last of [loaded(core), new LastRecoveries(core.state.lastRecoveries)]) {
    const left = shown(core, 'web', false, last);
    assert.deepEqual([left.state, left.watched?.stopped, left.watched?.exits], ['down', false, 1]);
    assert.match(left.reason ?? '', /^ended during its recovery: signal SIGTERM, \d{4}-/);
  }
});

test('a unit that is starting or stopping is not known to be well; one that systemd starts again some time is down', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\nwatch_exit = true\n');
  await core.monitor.look();
  const nowMs = core.clock.monotonicMs();
  const unit = 'web.service';
  core.lives.seen({ type: 'process_seen', processName: 'web', pid: 7, since: new Date(5) });
  for (const [runs, state, reason, isRunning] of [
    [{ kind: 'starting', unit, sinceMs: nowMs - 185_000 }, 'unknown', 'web.service has been starting for 3 min', null],
    [{ kind: 'starting', unit, sinceMs: 0 }, 'unknown', 'web.service has been starting', null],
    [{ kind: 'stopping', unit, sinceMs: nowMs - 30_000 }, 'unknown', 'web.service has been stopping for 30 s', null],
    [{ kind: 'queued', unit }, 'unknown', 'web.service is down, and systemd has not begun its queued job yet', null],
    [
      { kind: 'ended', unit, result: 'exit-code', dueMs: nowMs + 602_000 },
      'down',
      'web.service has ended (exit-code); systemd starts it again in 10 min',
      false,
    ],
    [
      { kind: 'ended', unit, result: 'signal', dueMs: Number.POSITIVE_INFINITY },
      'down',
      'web.service has ended (signal); systemd waits for ever before it starts it again',
      false,
    ],
    [
      { kind: 'ended', unit, result: 'signal', dueMs: nowMs - 1 },
      'down',
      'web.service has ended (signal); systemd starts it again now',
      false,
    ],
    [
      { kind: 'ended', unit, result: 'signal', dueMs: undefined },
      'down',
      'web.service has ended (signal); systemd starts it again',
      false,
    ],
  ] as const) {
    const { watched, ...judged } = shown(core, 'web', runs);
    assert.deepEqual([judged.state, judged.reason, watched?.runs], [state, reason, isRunning]);
    assert.deepEqual([watched?.stopped, watched?.since === null], [false, isRunning === false]);
  }
});

test('a recovery that failed without an alarm shows, also after a restart of the daemon, until the process is well', async (t) => {
  const dir = tempDir(t);
  const section = 'restart_strategy = custom\nrestart_command = echo no such disk; exit 3\nmax_attempts = 1\n';
  const core = await coreWith(t, dir, `[process.web]\nwatch_exit = true\n${section}[process.plain]\n${section}`);
  addRows(dir, ['web', 'plain'], false);
  await poll(core);
  for (const name of ['web', 'plain']) {
    assert.equal((await core.handler.order(name, [])).kind, 'failed');
    const failed = shown(core, name, false);
    assert.deepEqual([failed.inAlarm, failed.state, failed.lastRecovery?.outcome], [false, 'failed', 'failed']);
    assert.match(failed.reason ?? '', /^the last recovery failed: .*exit code 3/);
  }
  // It runs again by itself.
  core.lives.seen({ type: 'process_seen', processName: 'web', pid: process.pid, since: new Date(Date.now() + 1) });
  assert.equal(shown(core, 'web', true).state, 'ok');
  const target = shown(core, 'plain').target ?? 'plain';
  core.events.emit({ type: 'recovery_succeeded', process: managed('plain'), target, attempts: 1, durationMs: 5 });
  assert.equal(shown(core, 'plain').state, 'quiet');
});

test('an operator who resets the breaker, or ends the alarm, ends the state failed', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n');
  await core.monitor.look();
  const last = new LastRecoveries(core.state.lastRecoveries);
  last.follow(core.events);
  const target = 'web';
  for (const mend of [
    () => core.breakers.reset(target, 'root (test)'),
    () =>
      core.events.emit({
        type: 'order_given',
        order: 'alarm_clear',
        name: 'web',
        by: 'root (test)',
        detail: '',
        outcome: 'done',
      }),
  ]) {
    core.events.emit({ type: 'recovery_failed', process: managed('web'), target, reason: 'no', durationMs: 5 });
    core.breakers.failed(target, managed('web'));
    for (const each of [last, loaded(core)]) assert.equal(shown(core, 'web', null, each).state, 'failed');
    mend();
    for (const each of [last, loaded(core)]) assert.equal(shown(core, 'web', null, each).state, 'quiet');
  }
});

test('what could not be proved is reported as the last recovery', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n');
  const last = new LastRecoveries(core.state.lastRecoveries);
  last.follow(core.events);
  const reason = 'db1 could not be resolved';
  core.events.emit({ type: 'recovery_unproved', process: managed('web'), target: 'web', reason, durationMs: 5 });
  for (const each of [last, loaded(core)]) {
    const { lastRecovery } = shown(core, 'web', null, each);
    assert.deepEqual([lastRecovery?.outcome, lastRecovery?.detail], ['not_proved', reason]);
  }
});

test('a name whose section, name or unit forbids a restart is refused, in alarm or not', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(
    t,
    dir,
    `[process.broken]
restart_strategy = custom
[process.sshd/../x]
restart_strategy = process
[process.fine]
restart_strategy = custom
restart_command = true
`,
  );
  addRows(dir, ['broken', 'fine', 'systemd-journald'], true);
  await lookAtTargets(core);
  await poll(core);
  const broken = shown(core, 'broken');
  assert.equal(broken.state, 'refused');
  assert.match(broken.reason ?? '', /\[process\.broken\] restart_command: /);
  assert.equal(shown(core, 'sshd/../x').state, 'refused');
  assert.equal(shown(core, 'fine').state, 'quiet');
});

test('an alarm that its handling has skipped for a hold shows as held as long as there is a hold', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.web]\n');
  addRows(dir, ['web'], true);
  await poll(core);
  const entry = core.book.get('row 1') ?? assert.fail();
  entry.skip = { kind: 'held', reason: 'it is on hold through www' };
  assert.equal(shown(core, 'web').state, 'alarm');
  core.holds.set('www', undefined, 'upgrade');
  assert.deepEqual([shown(core, 'web').state, shown(core, 'web').reason], ['held', 'it is on hold through www']);
});

test('a hold through another name of the same target shows without an alarm, and so does its breaker', async (t) => {
  const section = 'restart_strategy = custom\nrestart_command = false\nsystem_name = nginx\n';
  const core = await coreWith(t, tempDir(t), `[process.web]\n${section}[process.www]\n${section}`);
  await core.monitor.look();
  core.holds.set('www', 60_000, 'upgrade');
  await lookAtTargets(core);
  assert.equal(shown(core, 'web').state, 'held');
  assert.match(
    shown(core, 'web').reason ?? '',
    /^on hold through www until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}: upgrade$/,
  );
  assert.match(shown(core, 'www').reason ?? '', /^on hold until \d{4}-/);
  core.holds.set(null, undefined, '');
  core.holds.release('www');
  assert.equal(shown(core, 'web').reason, 'on hold with all others until released');
  core.holds.release(undefined);
  assert.equal(shown(core, 'web').state, 'quiet');
  for (let i = 0; i < 3; i++) core.breakers.failed('nginx', managed('web', 'nginx'));
  for (const name of ['web', 'www'])
    assert.deepEqual([shown(core, name).state, shown(core, name).breaker.state], ['open', 'open']);
  assert.equal(shown(core, 'www').reason, '3 failed recoveries');
});

test('an open breaker says how often what kept dying did, also after a restart of the daemon', async (t) => {
  const rules = 'max_exits = 3\nexit_window = 60\n';
  const core = await coreWith(t, tempDir(t), `[monitor]\n${rules}[process.web]\n`);
  const last = new LastRecoveries(core.state.lastRecoveries);
  last.follow(core.events);
  await core.monitor.look();
  for (let i = 0; i < 3; i++) core.breakers.exited('web', 'web');
  for (const each of [last, loaded(core)]) {
    const { state, reason } = shown(core, 'web', null, each);
    assert.deepEqual([state, reason], ['open', 'exited 3 times within 60 s: it keeps dying']);
  }
});

test('a breaker whose time is over keeps nobody from a restart any more', async (t) => {
  const core = await coreWith(t, tempDir(t), '[monitor]\ncircuit_reset_time = 1\nmax_restart_failures = 1\n[process.web]\n');
  await core.monitor.look();
  core.breakers.failed('web', managed('web'));
  assert.equal(shown(core, 'web').state, 'open');
  const later = { ...core.clock, monotonicMs: () => core.clock.monotonicMs() + 2000 };
  const over = shown({ ...core, clock: later }, 'web');
  assert.deepEqual([over.state, over.breaker.state, over.breaker.remainingMs], ['quiet', 'open', 0]);
});

test('what is left alone says why', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(
    t,
    dir,
    '[monitor]\nonly_configured = true\n[process.web]\nrestart_strategy = custom\nrestart_command = true\n',
  );
  addRows(dir, ['stranger', 'web'], true);
  await poll(core);
  const stranger = shown(core, 'stranger');
  assert.deepEqual([stranger.state, stranger.inAlarm], ['alarm', true]);
  assert.match(stranger.reason ?? '', /only_configured/);
  assert.ok(Date.parse(stranger.rows[0]?.since ?? '') > 0);
});

test('what failed and has neither a section nor a row any more is at rest; one that has either is not', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.section]\n');
  addRows(dir, ['row'], false);
  await core.monitor.tick();
  for (const name of ['section', 'row', 'gone', 'dead']) {
    const failure = { target: name, reason: 'no', durationMs: 5 };
    if (name !== 'dead') core.events.emit({ type: 'recovery_failed', process: managed(name), ...failure });
    for (let i = 0; i < 9; i++) core.breakers.failed(name, managed(name));
  }
  const last = new LastRecoveries(core.state.lastRecoveries);
  const gone = await goneNames(core, last);
  assert.deepEqual([...gone].sort(), ['dead', 'gone']);
  const { processes } = buildStatus(core, last, { version: '1', pid: 1, startedAt: null }, { gone });
  assert.deepEqual(
    processes.map(({ name, state }) => [name, state]),
    [
      ['section', 'open'],
      ['row', 'open'],
    ],
  );
  for (const name of ['section', 'row', 'gone']) core.breakers.reset(name, null);
  for (const name of ['section', 'row', 'gone'])
    core.events.emit({ type: 'recovery_failed', process: managed(name), target: name, reason: 'no', durationMs: 5 });
  const later = loaded(core);
  assert.deepEqual(
    ['section', 'row', 'gone'].map((name) => statusOfOne(core, later, name, { gone }).state),
    ['failed', 'failed', 'quiet'],
  );
  // Nothing is gone as long as nobody can tell.
  core.store().findProcesses = () => Promise.reject(new Error('away'));
  assert.deepEqual([...(await goneNames(core, later))], []);
});

test('what another section rules is in the state of that one, and says so', async (t) => {
  const dir = tempDir(t);
  const command = 'restart_strategy = custom\nrestart_command = true\n';
  const section = (name: string, more = '') => `[process.${name}]\n${command}system_name = nginx\n${more}`;
  const core = await coreWith(
    t,
    dir,
    `${section('web', 'watch_exit = true\n')}${section('web frontend')}[process.db]\n${command}`,
  );
  addRows(dir, ['web', 'web frontend', 'db'], false);
  await poll(core);
  await lookAtTargets(core);
  const state = (name: string, runs: Running): (string | null)[] => {
    const { state: word, reason } = shown(core, name, runs);
    const one = statusOfOne(core, loaded(core), name, { runs: () => runs });
    assert.deepEqual([one.state, one.reason], [word, reason]);
    return [word, reason];
  };
  const same = 'is the same as [process.web]';
  assert.deepEqual(
    [state('web', true), state('db', true)],
    [
      ['ok', null],
      ['quiet', null],
    ],
  );
  assert.deepEqual(state('web frontend', true), ['ok', same]);
  assert.deepEqual(state('web frontend', false), ['down', `${same}: does not run, and was never seen running`]);
  const database = new DatabaseSync(join(dir, 'a.db'));
  database.exec('UPDATE STATUS_PROCESS SET alarma = 1 WHERE process_id = 2');
  database.close();
  await core.monitor.look();
  assert.deepEqual(state('web frontend', true), ['alarm', null], 'its own comes first');
  assert.deepEqual(state('web', true), ['ok', null]);
  core.holds.set('web frontend', undefined, '');
  assert.equal(state('web', true)[0], 'held');
});
