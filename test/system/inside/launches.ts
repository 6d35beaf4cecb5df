import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaunchRecord } from '../../../src/core/program/launch-record.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { appUnit } from '../../../src/system/systemd/unit/name.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { settledRecord } from '../../helpers/settled-record.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { knownUnits, openRuns, type Runs } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

const never = new AbortController().signal;

function line(text: string, how: { environment?: Record<string, string>; user?: string } = {}) {
  return { kind: 'line', line: text, environment: how.environment ?? {}, user: how.user } as const;
}

/** A launch that is retired after the test. */
function launch(
  t: TestContext,
  { programs }: Runs,
  systemName: string,
  what: Parameters<typeof programs.launch>[0]['what'],
  graceMs = 800,
) {
  t.after(() => programs.retire(systemName, 10_000, never));
  return programs.launch({ systemName, runId: 'launch-test', timeoutMs: 30_000, what }, graceMs, never);
}

function journal(unit: string): string {
  execFileSync('journalctl', ['--sync']);
  return execFileSync('journalctl', ['--quiet', '--no-pager', `--unit=${unit}`, '--output=json'], { encoding: 'utf8' });
}

test('a line that stays in the foreground lives in a unit of its own, and writes to the journal', async (t) => {
  const runs = openRuns(t);
  const result = await launch(t, runs, 'my app/x', line(`echo $$ > ${runs.dir}/a; echo hello; exec sleep 600`));
  const pid = await runs.pid('a');
  assert.deepEqual(result, { kind: 'launched', pid });
  const unit = 'monitor_service-app-my\\x20app-x.service';
  assert.equal(appUnit('my app/x'), unit);
  assert.equal(new ProcessTable().read(pid, ['unit'])?.unit, unit);
  assert.match(journal(unit), /"SYSLOG_IDENTIFIER":"x"/);
  assert.match(journal(unit), /"MESSAGE":"hello"/);
  await runs.programs.retire('my app/x', 10_000, never);
  assert.equal(isAlive(pid), false);
  assert.deepEqual(knownUnits('monitor_service-app-*'), []);
});

test('what does not end when it is retired is said to run still', async (t) => {
  const runs = openRuns(t);
  const stays = line(`trap '' TERM; echo $$ > ${runs.dir}/a; while :; do sleep 1; done`);
  assert.equal((await launch(t, runs, 'stays', stays)).kind, 'launched');
  const pid = await runs.pid('a');
  assert.match((await runs.programs.retire('stays', 500, never)) ?? '', /^monitor_service-app-stays\.service still runs: /);
  assert.equal(isAlive(pid), true);
  process.kill(pid, 'SIGKILL');
  assert.equal(await runs.programs.retire('stays', 10_000, never), undefined);
  assert.equal(await runs.programs.retire('never-launched', 10_000, never), undefined);
});

test('a line that fails says why, and leaves nothing behind', async (t) => {
  const runs = openRuns(t);
  const failed = await launch(
    t,
    runs,
    'bad',
    line(`setsid sleep 600 & echo $! > ${runs.dir}/a; echo cannot open socket >&2; exit 3`),
  );
  assert.deepEqual(failed, { kind: 'failed', reason: 'exit code 3: cannot open socket', output: ['cannot open socket'] });
  assert.equal(isAlive(await runs.pid('a')), false);
  const missing = await launch(t, runs, 'bad', line('exec /no/such/program'));
  assert(
    missing.kind === 'failed' && /^exit code 127: .*No such file or directory$/.test(missing.reason),
    JSON.stringify(missing),
  );
  for (const signal of ['SIGKILL', 'SIGTERM']) {
    const killed = await launch(t, runs, 'bad', line(`kill -${signal.slice(3)} $$`));
    assert.deepEqual(killed, { kind: 'failed', reason: `killed by ${signal}` });
  }
  assert.deepEqual(await launch(t, runs, 'bad', line('true', { user: 'no-such-user' })), {
    kind: 'failed',
    reason: 'there is no user no-such-user',
  });
  assert.deepEqual(knownUnits('monitor_service-app-*'), []);
});

test("the line's environment is minimal, its values are data, its user is who was asked for", async (t) => {
  const runs = openRuns(t);
  chmodSync(runs.dir, 0o777);
  const value = `$(id) \${HOME} %n "'\n\u0001 end`;
  const how = { environment: { MONITOR_PROCESS_NAME: value }, user: 'nobody' };
  const result = await launch(
    t,
    runs,
    '-$%n;*',
    line(`cd ${runs.dir}; env -0 > env; id -un > id; echo $$ > a; exec sleep 600`, how),
  );
  assert.deepEqual(result, { kind: 'launched', pid: await runs.pid('a') });
  assert.equal(runs.text('id'), 'nobody\n');
  const environment = runs.text('env').split('\0');
  assert(environment.includes(`MONITOR_PROCESS_NAME=${value}`));
  const names = environment.map((entry) => entry.split('=')[0]).filter(Boolean);
  assert.deepEqual(names.sort(), [
    'HOME',
    'LANG',
    'LOGNAME',
    'MONITOR_PROCESS_NAME',
    'MONITOR_RUN_ID',
    'OLDPWD',
    'PATH',
    'PWD',
    'SHLVL',
    'USER',
    '_',
  ]);
});

test('a recorded program is started as it was', async (t) => {
  const runs = openRuns(t);
  chmodSync(runs.dir, 0o755);
  const program = join(runs.dir, 'my program');
  copyFileSync('/usr/bin/sleep', program);
  const cwd = join(runs.dir, 'a dir %n $HOME');
  mkdirSync(cwd);
  const secret = 'hunter2-$HOME-%n-"\'`id`\n\tlines\u0001\u001b end';
  const record: LaunchRecord = {
    argv: ['-strange $argv0 %n', '600'],
    executable: program,
    cwd,
    environment: [
      `SECRET=${secret}`,
      'PATH=/opt/bin',
      'EMPTY=',
      'TWICE=1',
      'TWICE=2',
      'LD_PRELOAD=',
      'BASH_ENV=/x',
      'MONITOR_RUN_ID=old',
      'PWD=/old',
    ],
    uid: 65534,
    gid: 65534,
    groups: [4, 27],
  };
  for (const rights of [{}, { uid: 0, gid: 0, groups: [] }, { uid: 0, gid: 0, groups: [0] }, { uid: 1, gid: 2, groups: [2] }]) {
    const expected = { ...record, ...rights };
    const result = await launch(t, runs, 'recorded', { kind: 'argv', record: expected });
    assert(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
    const { pid } = result;
    await waitFor('the program itself', () => readlinkSync(`/proc/${pid}/exe`) === program);
    const reading = await settledRecord(new ProcessTable(), pid, 1);
    assert(reading.kind === 'read', JSON.stringify(reading));
    const { environment, unconfined, surroundings: _surroundings, ...rest } = reading.record;
    assert.equal(unconfined, true);
    const { environment: _, ...wanted } = expected;
    assert.deepEqual(rest, wanted);
    assert.deepEqual(
      environment.filter((entry) => !/^(?:_|SHLVL)=/.test(entry)).sort(),
      [
        `SECRET=${secret}`,
        'PATH=/opt/bin',
        'EMPTY=',
        'TWICE=1',
        'LD_PRELOAD=',
        'BASH_ENV=/x',
        'MONITOR_RUN_ID=launch-test',
        'PWD=/old',
      ].sort(),
    );
    assert.equal(readlinkSync(`/proc/${pid}/fd/0`), '/dev/null');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^SigIgn:\t0{16}$/m, 'no signal is ignored');
    assert.match(status, /^SigBlk:\t0{16}$/m, 'no signal is blocked');
    assert.match(status, /^NoNewPrivs:\t0$/m);
    const shown = execFileSync('systemctl', ['show', appUnit('recorded')], { encoding: 'utf8' });
    assert.doesNotMatch(shown, /hunter2/, 'what may be secret stands nowhere in the unit');
  }
});

test('a recorded program that cannot be started says why', async (t) => {
  const runs = openRuns(t);
  const record = { argv: ['x'], executable: '/no/such/file', cwd: '/', environment: [], uid: 0, gid: 0, groups: [] };
  const missing = await launch(t, runs, 'gone', { kind: 'argv', record });
  assert(missing.kind === 'failed' && /^exit code 127: .*No such file/.test(missing.reason), JSON.stringify(missing));
  const lost = await launch(t, runs, 'gone', { kind: 'argv', record: { ...record, cwd: '/no/such/dir' } });
  assert(lost.kind === 'failed' && /^exit code 1: .*cd: \/no\/such\/dir: /.test(lost.reason), JSON.stringify(lost));
  // Entered with the rights that it runs with, not with root's.
  const secret = mkdtempSync(join(runs.dir, 'secret-'));
  chmodSync(secret, 0o700);
  const theirs = { ...record, executable: '/bin/sleep', argv: ['sleep', '600'], cwd: secret, uid: 65534, gid: 65534 };
  const barred = await launch(t, runs, 'barred', { kind: 'argv', record: theirs });
  assert(barred.kind === 'failed' && /^exit code 1: .*Permission denied/.test(barred.reason), JSON.stringify(barred));
  assert.deepEqual(knownUnits('monitor_service-app-*'), []);
});

/** Starts a program in a unit of its own by systemd-run(1), and its pid once it is there. */
async function started(
  t: TestContext,
  unit: string,
  properties: readonly string[],
  line: string,
  name: string,
): Promise<number> {
  const options = properties.flatMap((property) => ['-p', property]);
  execFileSync('systemd-run', ['--quiet', `--unit=${unit}`, ...options, '/bin/bash', '-c', line]);
  t.after(() => spawnSync('systemctl', ['stop', unit]));
  const pid = (): number => Number(execFileSync('systemctl', ['show', '-P', 'MainPID', unit], { encoding: 'utf8' }));
  await waitFor(name, () => new ProcessTable().read(pid(), ['name'])?.name === name);
  return pid();
}

function shownOf(unit: string, ...names: readonly string[]): string[] {
  const shown = execFileSync('systemctl', ['show', unit, ...names.map((name) => `--property=${name}`)], { encoding: 'utf8' });
  return shown.trim().split('\n').sort();
}

for (const user of ['root', 'nobody'])
  test(`what a program of ${user} had from who started it, its new unit has`, async (t) => {
    const runs = openRuns(t);
    const folder = join(runs.dir, 'log');
    mkdirSync(folder);
    chmodSync(runs.dir, 0o755);
    execFileSync('chown', [user, folder]);
    const log = `${folder}/a %n $x.log`;
    const properties = [
      ...[
        'LimitNOFILE=300:512',
        'LimitCORE=0',
        'LimitFSIZE=infinity',
        'LimitNICE=25',
        'UMask=0027',
        'Nice=5',
        'IgnoreSIGPIPE=yes',
      ],
      ...['MemoryMax=256M', 'TasksMax=77', `User=${user}`],
    ];
    const line = `trap '' HUP; exec sleep 600 >>'${log.replaceAll('$', () => '$$')}' 2>&1`;
    const pid = await started(t, 'before.service', properties, line, 'sleep');
    const reading = await settledRecord(new ProcessTable(), pid, 1);
    assert(reading.kind === 'read', JSON.stringify(reading));
    const { surroundings = {} } = reading.record;
    assert.deepEqual(surroundings.limits?.nofile, { soft: '300', hard: '512' });
    assert.deepEqual(surroundings.limits?.core, { soft: '0', hard: '0' });
    const hasLimits = existsSync('/sys/fs/cgroup/system.slice/before.service/memory.max');
    t.diagnostic(`control groups with limits: ${hasLimits}`);
    const { limits, memoryMax, tasksMax, ...rest } = surroundings;
    assert.deepEqual(rest, {
      ...{ umask: 0o027, nice: 5, ignoredSignals: [1, 13], standardOutput: log, standardError: log },
    });
    if (hasLimits) assert.deepEqual([memoryMax, tasksMax], [268_435_456, 77]);
    execFileSync('systemctl', ['stop', 'before.service']);
    const given = { ...reading.record, surroundings: { ...surroundings, memoryMax: 268_435_456, tasksMax: 77 } };
    const result = await launch(t, runs, 'surrounded', { kind: 'argv', record: given });
    assert(result.kind === 'launched' && result.pid !== undefined && result.remarks === undefined, JSON.stringify(result));
    const again = result.pid;
    await waitFor('the program itself', () => new ProcessTable().read(again, ['name'])?.name === 'sleep');
    const second = await settledRecord(new ProcessTable(), again, 1);
    assert(second.kind === 'read', JSON.stringify(second));
    assert.deepEqual(second.record.surroundings, surroundings);
    const unit = appUnit('surrounded');
    assert.deepEqual(shownOf(unit, 'MemoryMax', 'TasksMax'), ['MemoryMax=268435456', 'TasksMax=77']);
    // Read anew from the unit's own file, it is the same still.
    execFileSync('systemctl', ['daemon-reload']);
    assert.deepEqual(shownOf(unit, 'MemoryMax', 'TasksMax', 'LimitNOFILE', 'LimitNOFILESoft', 'UMask', 'Nice'), [
      ...['LimitNOFILE=512', 'LimitNOFILESoft=300', 'MemoryMax=268435456', 'Nice=5', 'TasksMax=77', 'UMask=0027'],
    ]);
    // Without a limit is a limit too: the default is another one.
    const boundless = { ...reading.record, surroundings: { tasksMax: 'unlimited' } } as const;
    await launch(t, runs, 'surrounded', { kind: 'argv', record: boundless });
    assert.deepEqual(shownOf(unit, 'TasksMax'), ['TasksMax=infinity']);
  });

test('limits that are PID 1’s own are kept too: a unit gets other ones by itself', async (t) => {
  const runs = openRuns(t);
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(readFileSync('/proc/1/limits', 'utf8')) ?? [];
  const pid = await started(t, 'like-pid1.service', [`LimitNOFILE=${soft}:${hard}`], 'exec sleep 600', 'sleep');
  const reading = await settledRecord(new ProcessTable(), pid, 1);
  assert(reading.kind === 'read', JSON.stringify(reading));
  execFileSync('systemctl', ['stop', 'like-pid1.service']);
  const result = await launch(t, runs, 'like-pid1', { kind: 'argv', record: reading.record });
  assert(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
  const again = result.pid;
  await waitFor('the program itself', () => new ProcessTable().read(again, ['name'])?.name === 'sleep');
  assert.match(readFileSync(`/proc/${again}/limits`, 'utf8'), new RegExp(`^Max open files +${soft} +${hard} `, 'm'));
  const second = await settledRecord(new ProcessTable(), again, 1);
  assert.deepEqual(second.kind === 'read' && second.record.surroundings, reading.record.surroundings);
});

test('its output file is opened with its own rights: if a stranger leads it elsewhere, it goes to the journal', async (t) => {
  const runs = openRuns(t);
  chmodSync(runs.dir, 0o755);
  const [secret, theirs] = [join(runs.dir, 'secret'), join(runs.dir, 'theirs')];
  writeFileSync(secret, 'secret\n', { mode: 0o600 });
  mkdirSync(theirs);
  execFileSync('chown', ['nobody', theirs]);
  const file = join(theirs, 'app.log');
  const argv = ['bash', '-c', 'echo written; exec sleep 600'];
  const record = { argv, executable: '/bin/bash', cwd: '/', environment: [], surroundings: { standardOutput: file } };
  const traps: readonly (readonly [what: string, lay: string])[] = [
    ['a link', 'ln -s "$1" app.log'],
    ['a FIFO', 'mkfifo app.log'],
    ['a folder', 'mkdir app.log'],
  ];
  for (const rights of [
    { uid: 0, gid: 0, groups: [] },
    { uid: 65534, gid: 65534, groups: [] },
  ])
    for (const [what, lay] of traps) {
      execFileSync('setpriv', [
        '--reuid=65534',
        '--clear-groups',
        'sh',
        '-c',
        `cd "$0"; rm -rf app.log in; ${lay}`,
        theirs,
        secret,
      ]);
      const result = await launch(t, runs, 'led', { kind: 'argv', record: { ...record, ...rights } });
      assert(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
      assert.deepEqual(result.remarks, [`its standard output no longer goes to ${file}`], what);
      assert.match(readlinkSync(`/proc/${result.pid}/fd/1`), /^socket:/);
    }
  assert.equal(readFileSync(secret, 'utf8'), 'secret\n');
  assert.match(journal(appUnit('led')), /"MESSAGE":"written"/);
});

test('any name makes a unit', async (t) => {
  const runs = openRuns(t);
  for (const name of [
    'x'.repeat(400),
    '名'.repeat(100),
    '..',
    '@',
    '-',
    '.hidden',
    'a@b',
    'a\\x',
    '%i',
    'nginx: master',
    '*',
    '',
  ]) {
    const result = await launch(t, runs, name, line('exec sleep 600'), 100);
    assert(result.kind === 'launched' && result.pid !== undefined, `${name}: ${JSON.stringify(result)}`);
    await runs.programs.retire(name, 10_000, never);
    assert.equal(isAlive(result.pid), false);
  }
});
