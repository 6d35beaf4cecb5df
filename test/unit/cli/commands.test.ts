import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Orders } from '../../../src/control/orders.ts';
import type { ProcessStatus } from '../../../src/control/status.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { acquireLock } from '../../../src/state/lock.ts';
import { runCommand } from '../../helpers/cli-world.ts';
import { startControl } from '../../helpers/control-world.ts';
import { someDetails, someProcess, someStatus } from '../../helpers/scripted-orders.ts';
import { backendErrors, someReport } from '../../helpers/small-backends.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** A configuration whose control socket is `socket`. */
function configWith(t: TestContext, socket: string): string {
  const file = join(tempDir(t), 'config.ini');
  writeFileSync(file, `[control]\nsocket = ${socket}\n`, { mode: 0o600 });
  return file;
}

/** A running daemon and its configuration. */
async function daemon(t: TestContext, script: Partial<Orders> = {}) {
  const control = await startControl(t, script);
  return { ...control, config: configWith(t, control.socket) };
}

describe('the commands, with a daemon running', () => {
  const cases: [string[], unknown[], RegExp][] = [
    [
      ['status'],
      ['status'],
      /^monitor_service 1\.2\.3, pid 4711, up 60 min\nas of .*\nalarm store +mysql localhost.*: 1 in alarm, read 12 s ago\n/,
    ],
    [['restart', 'nginx'], ['recover', 'nginx'], /^nginx recovered: 1 attempt, 1\.2 s\n$/],
    [['restart', '--', '-n'], ['recover', '-n'], /^-n recovered/],
    [['alarm', '12', '--notes', 'a b'], ['alarm', '12', false, 'a b'], /^alarm raised: 12 \(id 12\)\n$/],
    [['alarm', 'x', '--clear'], ['alarm', 'x', true, undefined], /^alarm ended: x \(id 12\)\n$/],
    [['breaker'], ['status'], /^all circuit breakers are closed\n$/],
    [['breaker', 'nginx'], ['status'], /^PROCESS +BREAKER +FAILURES\nnginx +closed +0\n$/],
    [['breaker', 'nginx', '--reset'], ['resetBreakers', 'nginx'], /^circuit breaker closed: nginx\n$/],
    [['breaker', '--reset'], ['resetBreakers', undefined], /^circuit breaker closed: nginx\ncircuit breaker closed: db\n$/],
    [['hold', 'nginx', '--for', '2h', '--reason', 'why'], ['hold', 'nginx', 7_200_000, 'why'], /^nginx on hold until \d{4}-/],
    [['hold', 'nginx', '--strict'], ['hold', 'nginx', undefined, '', true], /^nginx on hold until released\n$/],
    [['hold', '--all'], ['hold', undefined, undefined, ''], /^all processes on hold until released\n$/],
    [['release', 'nginx'], ['release', 'nginx'], /^released: nginx\n$/],
    [['release', '--all'], ['release', undefined], /^released: all processes\n$/],
    [
      ['match', 'app'],
      ['preview', 'app'],
      /^app: strategy process, program app\n {2}would stop: {2}pid 12 app\n {2}would start: exec app\n$/,
    ],
    [
      ['uptime', 'nginx'],
      ['uptime', 'nginx', 30],
      /^since 2026-10-2.*\nNAME +UPTIME +OUTAGES.*\nnginx +99\.999 % +2 +15 s +- +20 s +- +80 s\npage +- +0 +- +- +- +- +30 d\n$/,
    ],
    [['uptime', '--days', '400', '--json'], ['uptime', undefined, 400], /^\{\n {2}"from": "2026-10-27T02:04:11\.000Z",/],
    [['unpin', 'app'], ['unpin', 'app'], /^no longer pinned: app\n$/],
    [['unpin', '--all', '--json'], ['unpin', undefined], /^\{\n {2}"unpinned": \[/],
    [['reload'], ['reload'], /^reloaded: \[monitor\] check_interval: 300 to 60\n$/],
    [['--status'], ['status'], /^monitor_service 1\.2\.3/],
    [['--verbose', '--status', '--json'], ['status'], /^\{\n {2}"version": "1\.2\.3"/],
    [['--restart', 'nginx', '--verbose'], ['recover', 'nginx'], /^nginx recovered/],
    [['--restart=-n'], ['recover', '-n'], /^-n recovered/],
  ];
  for (const [argv, call, output] of cases) {
    it(argv.join(' '), async (t) => {
      const { config, calls } = await daemon(t);
      const run = await runCommand(['--config', config, ...argv]);
      assert.match(run.stdout, output);
      assert.equal(run.stderr, '');
      assert.equal(run.code, 0);
      assert.deepEqual(calls, [call]);
      assert.deepEqual(run.calls, [], 'the backends were not needed');
    });
  }

  it('status NAME shows all about one process, and what runs of it now', async (t) => {
    const details = someDetails({
      process: someProcess({ name: 'app', state: 'ok', pinnedAt: '2026-11-21T12:00:00.000Z' }),
      running: [
        { pid: 12, since: new Date().toISOString(), command: 'app --serve', cpuPercent: 0.42, memoryBytes: 12_345_678 },
      ],
      restart: {
        strategy: 'process',
        target: 'program app',
        stops: ['pid 12 app'],
        starts: [],
        refusals: ['no way\u001b'],
        warnings: ['pid 7 has that name too'],
      },
    });
    const { config, calls } = await daemon(t, { describe: async () => ({ kind: 'done', ...details }) });
    const run = await runCommand(['--config', config, 'status', 'app']);
    for (const line of [
      /^app\nas of /,
      /^state +ok$/m,
      /^alarm +no$/m,
      /^target +program app, strategy process$/m,
      /^pinned +since 2026-11-2\d \d\d:00:00 [+-]\d{4}$/m,
      /^runs +pid 12, up 0.* s, memory 12\.3 MB, CPU 0\.4 %\n +app --serve$/m,
      /^restart +refused: no way\?\n +would stop pid 12 app\nwarning +pid 7 has that name too$/m,
    ])
      assert.match(run.stdout, line);
    assert.equal(run.code, 0);
    assert.deepEqual(calls, [['describe', 'app']]);
    const json = JSON.parse((await runCommand(['--config', config, 'status', 'app', '--json'])).stdout);
    assert.deepEqual(json, JSON.parse(JSON.stringify(details)));
  });

  it('status of an unknown name is reported, with the exit code for that', async (t) => {
    const reason = 'no process of the name "x"';
    const { config } = await daemon(t, { describe: async () => ({ kind: 'refused', code: 'not_found', reason }) });
    for (const option of [[], ['--json'], ['--check']]) {
      const run = await runCommand(['--config', config, 'status', 'x', ...option]);
      assert.deepEqual([run.code, run.stdout, run.stderr], [66, '', `monitor_service: ${reason}\n`]);
    }
  });

  it('status ends with 69 if alarms are unknown, --check with what is not well', async (t) => {
    const store = { ...someStatus().store, state: 'unknown', reason: 'no route', alarms: null } as const;
    const fault = someProcess({ state: 'alarm', inAlarm: true });
    const codes = async (script: Partial<Orders>, ...argv: string[]) => {
      const { config } = await daemon(t, script);
      const plain = await runCommand(['--config', config, 'status', ...argv]);
      const check = await runCommand(['--config', config, 'status', ...argv, '--check']);
      const json = await runCommand(['--config', config, 'status', ...argv, '--check', '--json']);
      assert.equal(json.code, check.code);
      return [plain.code, check.code, check.stdout, JSON.parse(json.stdout).store.state];
    };
    assert.deepEqual(await codes({ status: () => someStatus({ processes: [someProcess()] }) }), [0, 0, '', 'ok']);
    assert.deepEqual(await codes({ status: () => someStatus({ processes: [fault] }) }), [0, 1, 'nginx: in alarm\n', 'ok']);
    const [plain, check, text, state] = await codes({ status: () => someStatus({ processes: [fault], store }) });
    assert.deepEqual([plain, check, state], [69, 69, 'unknown']);
    assert.match(String(text), /^alarm store: .*alarms unknown .*no route.*\nnginx: in alarm\n$/);
    const describe = (process: ProcessStatus) => ({
      describe: async () => ({ kind: 'done', ...someDetails({ process }) }) as const,
    });
    assert.deepEqual(await codes(describe(fault), 'nginx'), [0, 1, 'nginx: in alarm\n', 'ok']);
    assert.deepEqual(await codes(describe(someProcess({ state: 'unknown', inAlarm: null })), 'nginx'), [
      69,
      69,
      'nginx: unknown\n',
      'ok',
    ]);
  });

  it('status --check --watch is wrong usage', async (t) => {
    const { config, calls } = await daemon(t);
    const run = await runCommand(['--config', config, 'status', '--check', '--watch']);
    assert.deepEqual([run.code, run.stdout, calls], [64, '', []]);
    assert.match(run.stderr, /^monitor_service: option '--check' cannot be used with .*'--watch'/);
  });

  it('match shows warnings beside what would be done', async (t) => {
    const preview = async () =>
      ({
        kind: 'done',
        strategy: 'process',
        target: 'x',
        stops: [],
        starts: ['x'],
        refusals: [],
        warnings: ['x is masked'],
      }) as const;
    const { config } = await daemon(t, { preview });
    const run = await runCommand(['--config', config, 'match', 'x']);
    assert.deepEqual([run.code, run.stdout], [0, 'x: strategy process, x\n  warning: x is masked\n  would start: x\n']);
  });

  it('match shows each command where it would run', async (t) => {
    const command = { name: null, limitMs: 60_000, user: null };
    const preview = async () =>
      ({
        kind: 'done',
        strategy: 'process',
        target: 'x',
        stops: ['pid 12 x'],
        starts: ['start_command: exec /opt/x', 'start_command: exec /opt/x'],
        refusals: [],
        commands: [
          { ...command, key: 'pre_restart_command', line: 'x -t\u001b' },
          { ...command, key: 'stop_command', line: 'stop x', name: 'x', limitMs: 1500 },
          { ...command, key: 'start_command', line: 'exec /opt/x', limitMs: null, user: 'app' },
          { ...command, key: 'health_check_command', line: 'pgrep -x x', name: 'x', limitMs: 5000 },
        ],
      }) as const;
    const { config } = await daemon(t, { preview });
    const run = await runCommand(['--config', config, 'match', 'x']);
    const lines = [
      'x: strategy process, x',
      '  would run:   pre_restart_command: x -t?',
      '                 at most 60 s',
      '  would stop:  pid 12 x',
      '  would run:   stop_command: stop x',
      '                 at most 1.5 s, %s is x',
      '  would start: start_command: exec /opt/x',
      '                 as app',
      '  would start: start_command: exec /opt/x',
      '                 as app',
      '  would check: health_check_command: pgrep -x x',
      '                 tried for 5 s, %s is x',
      '',
    ];
    assert.deepEqual([run.code, run.stdout], [0, lines.join('\n')]);
    const json = JSON.parse((await runCommand(['--config', config, 'match', 'x', '--json'])).stdout);
    assert.deepEqual(json.commands, JSON.parse(JSON.stringify((await preview()).commands)));
  });

  for (const [argv, told] of [
    [['status'], { pid: 4711 }],
    [['breaker', 'nginx'], [{ name: 'nginx', state: 'closed', failures: 0 }]],
    [['match', 'nginx'], { strategy: 'process', target: 'program nginx' }],
    [['breaker', '--reset'], { reset: ['nginx', 'db'] }],
  ] as const) {
    it(`${argv.join(' ')} --json is JSON`, async (t) => {
      const { config } = await daemon(t);
      const run = await runCommand([...argv, '--json', '--config', config]);
      assert.equal(run.code, 0);
      assert.partialDeepStrictEqual(JSON.parse(run.stdout), told);
    });
  }

  it('end with an exit code that says how it went', async (t) => {
    const refusals = { not_found: 66, conflict: 75, unavailable: 69, denied: 77 } as const;
    for (const [code, exitCode] of Object.entries(refusals) as [keyof typeof refusals, number][]) {
      const { config } = await daemon(t, { recover: async () => ({ kind: 'refused', code, reason: 'because' }) });
      const run = await runCommand(['--config', config, 'restart', 'x']);
      assert.deepEqual([run.code, run.stdout, run.stderr], [exitCode, '', 'monitor_service: because\n']);
    }
    const words = {
      failed: 'x did not recover',
      skipped: 'x was not restarted',
      not_proved: 'x was restarted, but not proved healthy',
    } as const;
    for (const kind of ['failed', 'skipped', 'not_proved'] as const) {
      const { config } = await daemon(t, { recover: async () => ({ kind, reason: 'because\u001b[2J\nnot' }) });
      const run = await runCommand(['--config', config, 'restart', 'x']);
      assert.equal(run.code, 1);
      assert.equal(run.stderr, `monitor_service: ${words[kind]}: because?[2J not\n`);
    }
  });

  it('reload shows every problem of a file that cannot be used', async (t) => {
    const reason = 'c.ini:3: [monitor] mode: cannot be used\nc.ini: no [database]';
    const { config } = await daemon(t, { reload: async () => ({ kind: 'refused', code: 'invalid', reason }) });
    const run = await runCommand(['--config', config, 'reload']);
    assert.equal(run.code, 78);
    assert.equal(run.stderr, `${reason}\nmonitor_service: the configuration was not reloaded; the running one stays\n`);
  });

  it('match fails if a restart would be refused', async (t) => {
    const refused = { kind: 'done', strategy: 'auto', target: '', stops: [], starts: [], refusals: ['two match'] } as const;
    const { config } = await daemon(t, { preview: async () => refused });
    const run = await runCommand(['--config', config, 'match', 'x']);
    assert.deepEqual([run.code, run.stdout], [1, 'x: strategy auto\n  refused: two match\n']);
  });

  it('match and alarm distinguish what is tried and fails from what is not tried', async (t) => {
    const nothing = { strategy: 'custom', target: '', stops: [], starts: [] };
    const shown = { kind: 'done', ...nothing, refusals: ['on hold', 'no program'], failures: ['no program'] } as const;
    const raised = [
      { id: '1', name: 'x', willFail: ['no program'] },
      { id: '2', name: 'x', willNotFollow: ['on hold'], willFail: ['no program'] },
    ];
    const { config } = await daemon(t, {
      preview: async () => shown,
      alarm: async () => ({ kind: 'done', processes: raised }),
    });
    const match = await runCommand(['--config', config, 'match', 'x']);
    assert.deepEqual([match.code, match.stdout], [1, 'x: strategy custom\n  refused: on hold\n  would fail: no program\n']);
    const alarm = await runCommand(['--config', config, 'alarm', 'x']);
    assert.deepEqual(alarm.stdout.split('\n'), [
      'alarm raised: x (id 1); a restart is tried and will fail: no program',
      'alarm raised: x (id 2); no restart will follow: on hold',
      '',
    ]);
  });

  it('alarm --clear says that there was nothing to end', async (t) => {
    const processes = [
      { id: '1', name: 'x', wasNotInAlarm: true },
      { id: '2', name: 'x' },
    ];
    const { config } = await daemon(t, { alarm: async () => ({ kind: 'done', processes }) });
    const run = await runCommand(['--config', config, 'alarm', 'x', '--clear']);
    assert.deepEqual([run.code, run.stdout], [0, 'x (id 1) is not in alarm: nothing to end\nalarm ended: x (id 2)\n']);
  });

  it('release says what still holds', async (t) => {
    const stillHeld = 'on hold with all others until released';
    const { config } = await daemon(t, {
      release: async (name) => ({ kind: 'done', released: name === 'web' ? [name] : [], stillHeld }),
    });
    const run = async (name: string) => (await runCommand(['--config', config, 'release', name])).stdout;
    assert.equal(await run('web'), `released: web\nweb is still ${stillHeld}\n`);
    assert.equal(await run('db'), `db has no hold of its own, and is ${stillHeld}\n`);
  });

  it('hold says that it is not saved', async (t) => {
    const { config } = await daemon(t, { hold: async () => ({ kind: 'done', until: null, unsaved: 'state.db is full' }) });
    const { code, stdout, stderr } = await runCommand(['--config', config, 'hold', 'web']);
    assert.deepEqual([code, stdout], [0, 'web on hold until released\n']);
    assert.match(stderr, /the hold is not saved, and ends with the daemon: state\.db is full\n$/);
  });

  it('a name may begin with a dash, behind --; an empty one is wrong usage', async (t) => {
    const asked: string[] = [];
    const { config } = await daemon(t, {
      preview: async (name) => {
        asked.push(name);
        return { kind: 'done', strategy: 'custom', target: '', stops: [], starts: [], refusals: [] };
      },
    });
    const run = (...argv: string[]) => runCommand(['--config', config, ...argv]);
    assert.deepEqual([(await run('match', '--', '-dash')).code, asked], [0, ['-dash']]);
    for (const command of ['status', 'restart', 'alarm', 'breaker', 'hold', 'release', 'match', 'pin', 'unpin']) {
      const dash = await run(command, '-dash');
      const more = `see monitor_service ${command} --help`;
      const hint = `unknown option '-dash' (of a name that begins with -: monitor_service ${command} -- NAME); ${more}`;
      assert.deepEqual([dash.code, dash.stderr], [64, `monitor_service: ${hint}\n`]);
      const empty = await run(command, '');
      assert.deepEqual(
        [empty.code, /^monitor_service: the name( or id)? is empty; see [^;]+\n$/.test(empty.stderr)],
        [64, true],
      );
    }
    assert.equal(
      (await run('match', '--jsn', 'x')).stderr,
      "monitor_service: unknown option '--jsn' (Did you mean --json?); see monitor_service match --help\n",
    );
    assert.equal(
      (await run('events', '-x')).stderr,
      "monitor_service: unknown option '-x'; see monitor_service events --help\n",
    );
    assert.deepEqual(asked, ['-dash']);
  });

  it('never send a control character or an invisible character to the terminal', async (t) => {
    const evil = 'e\u001b]0;pwned\u0007\u009b31m\u202e\u200b\u3164\u{e0041}\u00ad\ufe0f\n\r\tx';
    const store = { ...someStatus().store, state: 'unknown', description: evil, reason: evil, lastPollAt: evil } as const;
    const row = { processId: evil, notes: evil, since: evil, acknowledged: true };
    const process = someProcess({
      name: evil,
      strategy: evil,
      state: 'alarm',
      inAlarm: true,
      rows: [row],
      reason: evil.slice(1),
      breaker: { state: 'open', failures: 3, remainingMs: 60_000 },
      watched: {
        runs: true,
        stopped: false,
        pid: 7,
        since: evil,
        exits: 1,
        lastExit: { at: evil, cause: evil, uptimeMs: 5, expected: false },
      },
      supervisor: evil,
      concern: evil,
      pinnedAt: evil,
      lastRecovery: { at: evil, outcome: 'failed', detail: evil },
    });
    const hold = { name: evil, until: evil, reason: evil };
    const restart = { strategy: evil, target: evil, stops: [evil], starts: [evil], refusals: [evil], warnings: [evil] };
    const details = someDetails({
      process,
      store,
      rows: [{ ...row, inAlarm: true }],
      hold,
      running: [{ pid: 7, since: evil, command: evil, cpuPercent: 1, memoryBytes: 5 }],
      unit: evil,
      recoveries: [{ at: evil, outcome: 'failed', detail: evil, output: [evil] }],
      restart,
      output: evil,
    });
    const { config } = await daemon(t, {
      status: () =>
        someStatus({
          version: evil,
          host: evil,
          configFile: evil,
          store: { ...store, remarks: [evil] },
          holds: [hold],
          processes: [process],
          exitWatch: evil,
        }),
      describe: async () => ({ kind: 'done', ...details }),
      alarm: async () => ({ kind: 'done', processes: [{ id: '1', name: evil }] }),
      preview: async () => ({
        kind: 'done',
        strategy: evil,
        target: evil,
        stops: [evil],
        starts: [evil],
        refusals: [evil],
        notes: [evil],
      }),
      reload: async () => ({ kind: 'done', changes: [evil], warnings: [evil] }),
      hold: async () => ({ kind: 'done', until: evil }),
      release: async () => ({ kind: 'done', released: [evil] }),
      resetBreakers: async () => ({ kind: 'done', reset: [evil] }),
      recover: async () => ({ kind: 'refused', code: 'conflict', reason: evil }),
    });
    const commands = [
      'status',
      'status --check',
      'status --json',
      'status x',
      'status x --check',
      'status x --json',
      'breaker',
      'breaker --json',
      'breaker --reset',
      'match x',
      'match x --json',
      'reload',
      'alarm x',
      'hold x',
      'release x',
      'restart x',
    ];
    for (const command of commands) {
      const run = await runCommand(['--config', config, ...command.split(' ')]);
      assert.doesNotMatch(
        run.stdout + run.stderr,
        /(?!\n)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u,
        command,
      );
      if (command === 'match x --json') assert.equal(JSON.parse(run.stdout).target, evil);
    }
  });
});

describe('the commands, with no daemon running', () => {
  const cases: [string[], unknown[], number][] = [
    [['status'], ['status'], 3],
    [['status', '--check'], ['status'], 3],
    [['status', 'x'], ['describe', 'x'], 3],
    [['status', 'x', '--check'], ['describe', 'x'], 3],
    [['restart', 'x'], ['recover', 'x'], 0],
    [['alarm', 'x', '--notes', 'n'], ['alarm', 'x', false, 'n'], 0],
    [['breaker', 'x', '--reset'], ['resetBreakers', 'x'], 0],
    [['hold', '--all', '--for', '90'], ['hold', undefined, 90_000, ''], 0],
    [['release', 'x'], ['release', 'x'], 0],
    [['match', 'x'], ['preview', 'x'], 0],
  ];
  for (const [argv, call, code] of cases) {
    it(`${argv.join(' ')} is carried out here, and says so`, async (t) => {
      const config = configWith(t, join(tempDir(t), 'none.sock'));
      const run = await runCommand(['--config', config, ...argv]);
      assert.equal(run.code, code);
      assert.match(run.stderr, /^monitor_service: no daemon answers on \/.*none\.sock; [a-z ]+\n$/);
      assert.deepEqual(run.calls, [['offline', config, ...call]]);
    });
  }

  for (const [argv] of [...cases, [['reload']] as const]) {
    it(`${argv.join(' ')} is not carried out here while the daemon runs without its socket`, async (t) => {
      const dir = tempDir(t);
      const lock = acquireLock(dir);
      t.after(() => lock.kind === 'acquired' && lock.release());
      const config = configWith(t, join(dir, 'none.sock'));
      appendFileSync(config, `[monitor]\nstate_dir = ${dir}\n`);
      const run = await runCommand(['--config', config, ...argv]);
      assert.equal(run.code, 69);
      assert.equal(run.stdout, '');
      const sentence = `monitor_service: monitor_service runs (pid ${process.pid}), its socket is gone: nobody listens on ${dir}/none.sock; `;
      assert.ok(run.stderr.startsWith(sentence) && run.stderr.indexOf('\n') === run.stderr.length - 1, run.stderr);
      assert.deepEqual(run.calls, []);
    });
  }

  it('a daemon whose socket is another one than configured is reported, with both sockets', async (t) => {
    const dir = tempDir(t);
    const lock = acquireLock(dir, { kind: 'daemon', socket: '/run/old place.sock' });
    t.after(() => lock.kind === 'acquired' && lock.release());
    const config = configWith(t, join(dir, 'new.sock'));
    appendFileSync(config, `[monitor]\nstate_dir = ${dir}\n`);
    for (const argv of [['status'], ['restart', 'x'], ['reload']]) {
      const run = await runCommand(['--config', config, ...argv]);
      assert.deepEqual([run.code, run.stdout, run.calls], [75, '', []]);
      assert.equal(
        run.stderr,
        `monitor_service: monitor_service runs (pid ${process.pid}) and listens on /run/old place.sock: [control] socket, now ${dir}/new.sock, takes effect at its next start\n`,
      );
    }
  });

  it('reload needs a daemon', async (t) => {
    const run = await runCommand(['reload', '--config', configWith(t, join(tempDir(t), 'none.sock'))]);
    assert.equal(run.code, 69);
    assert.match(run.stderr, /^monitor_service: no daemon answers on .*\n$/);
  });

  it('report errors of the store, the state and the configuration in lines, with their codes', async (t) => {
    const config = configWith(t, join(tempDir(t), 'none.sock'));
    const codes = { config: 78, unreachable: 69, denied: 77, held: 75 } as const;
    for (const [which, code] of Object.entries(codes) as [keyof typeof codes, number][]) {
      const offline = () => {
        throw backendErrors[which];
      };
      const run = await runCommand(['--config', config, 'status'], { backends: { offline } });
      assert.equal(run.code, code);
      const lines = run.stderr.trimEnd().split('\n').slice(1);
      if (which === 'config') assert.equal(lines.pop(), 'monitor_service: c.ini cannot be used: 2 errors, 0 warnings');
      assert.ok(
        lines.every((line) => line.startsWith(which === 'config' ? 'c.ini:' : 'monitor_service: ')),
        run.stderr,
      );
      assert.doesNotMatch(run.stderr, /\n\s+at /);
    }
  });

  it('call what the system refuses no bug', async (t) => {
    const offline = () => {
      mkdtempSync('/no-such-folder/x-');
      throw new Error('not reached');
    };
    const config = configWith(t, join(tempDir(t), 'none.sock'));
    const run = await runCommand(['--config', config, 'status'], { backends: { offline } });
    assert.equal(run.code, 70);
    assert.match(run.stderr, /\nmonitor_service: ENOENT: no such file or directory, mkdtemp '\/no-such-folder\/x-XXXXXX'\n$/);
  });

  it('name the place of a bug', async (t) => {
    const offline = () => {
      throw new TypeError('undefined is not a function');
    };
    const config = configWith(t, join(tempDir(t), 'none.sock'));
    const run = await runCommand(['--config', config, 'status'], { backends: { offline } });
    assert.equal(run.code, 70);
    assert.match(run.stderr, /\nmonitor_service: internal error: undefined is not a function \(at .*\)\n$/);
  });
});

describe('the configuration that is meant', () => {
  it('must be there if it was named', async () => {
    for (const [argv, env] of [
      [['--config', '/nowhere/c.ini', 'status'], {}],
      [['status'], { MONITOR_SERVICE_CONFIG: '/nowhere/c.ini' }],
    ] as [string[], Record<string, string>][]) {
      const run = await runCommand(argv, { env });
      assert.equal(run.code, 78);
      assert.match(run.stderr, /^\/nowhere\/c\.ini: cannot be read: there is no such file\n$/);
    }
  });

  it('reports the socket whatever else is wrong with it', async (t) => {
    const { socket } = await startControl(t);
    const file = join(tempDir(t), 'c.ini');
    writeFileSync(file, `[monitor]\nmode = nonsense\n[[[\n[control]\nsocket = ${socket}\n`);
    assert.equal((await runCommand(['--config', file, 'status'])).code, 0);
  });
});

describe('run, demo and check-config', () => {
  it('run is the default', async () => {
    for (const [argv, verbose] of [
      [['run'], false],
      [[], false],
      [['--verbose'], true],
      [['run', '--verbose'], true],
    ] as [string[], boolean][]) {
      const run = await runCommand(['--config', '/x.ini', ...argv]);
      assert.deepEqual(run, { code: 0, stdout: '', stderr: '', calls: [['runDaemon', '/x.ini', verbose]] });
    }
  });

  it('run, and status without a daemon, report warnings as such, and count both', async (t) => {
    const at = { section: 'logging', key: 'file' };
    const error = new ConfigError('c.ini', [
      { severity: 'warning', line: 2, ...at, problem: 'odd' },
      { severity: 'error', line: 3, ...at, problem: 'bad' },
      { severity: 'warning', line: 0, section: '', key: '', problem: 'and 2 more warnings', count: 2 },
    ]);
    const told = [
      'c.ini:2: [logging] file: odd (warning)',
      'c.ini:3: [logging] file: bad',
      'c.ini: and 2 more warnings (warning)',
      'monitor_service: c.ini cannot be used: 1 error, 3 warnings',
    ];
    const run = await runCommand(['run', '--config', '/x.ini'], { backends: { runDaemon: async () => Promise.reject(error) } });
    assert.deepEqual([run.code, run.stderr.trimEnd().split('\n')], [78, told]);
    const offline = () => {
      throw error;
    };
    const config = configWith(t, join(tempDir(t), 'none.sock'));
    const status = await runCommand(['--config', config, 'status'], { backends: { offline } });
    assert.deepEqual([status.code, status.stderr.trimEnd().split('\n').slice(1)], [78, told]);
  });

  it('reload reports its warnings as such', async (t) => {
    const warnings = ['c.ini:2: [logging] file: odd'];
    const { config } = await daemon(t, { reload: async () => ({ kind: 'done', changes: [], warnings }) });
    const run = await runCommand(['--config', config, 'reload']);
    assert.deepEqual([run.code, run.stderr], [0, 'c.ini:2: [logging] file: odd (warning)\n']);
  });

  it('demo', async () => {
    assert.deepEqual(await runCommand(['demo']), { code: 0, stdout: 'demo\n', stderr: '', calls: [['runDemo']] });
  });

  it('check-config says what is right and what is wrong', async () => {
    const good = await runCommand(['check-config', '--config', '/x.ini', '--database']);
    assert.deepEqual(good, {
      code: 0,
      stdout: '/x.ini is in order: 1 configured process\n',
      stderr: '',
      calls: [['checkConfig', '/x.ini', true]],
    });
    const warning = { severity: 'warning', line: 2, section: 'monitor', key: 'moed', problem: 'unknown key' } as const;
    const error = { ...warning, severity: 'error', problem: 'bad' } as const;
    const bad = await runCommand(['check-config'], {
      backends: {
        checkConfig: async () => someReport({ problems: [warning, error], errors: 1, warnings: 1, usable: false }),
      },
    });
    assert.equal(bad.code, 78);
    assert.equal(
      bad.stderr,
      'c.ini:2: [monitor] moed: unknown key (warning)\nc.ini:2: [monitor] moed: bad\nmonitor_service: c.ini cannot be used: 1 error, 1 warning\n',
    );
    const failed = { kind: 'failed', description: 'mysql db1', reason: 'refused', fault: 'unreachable' } as const;
    const away = await runCommand(['check-config', '--database'], {
      backends: {
        checkConfig: async () => someReport({ database: failed }),
      },
    });
    assert.deepEqual([away.code, away.stderr], [69, 'monitor_service: mysql db1: refused\n']);
    const report = { server: 'MariaDB', processes: 2, alarms: 1, canClear: false, notes: 'TEXT', remarks: ['no index'] };
    const asked = await runCommand(['check-config', '--database'], {
      backends: {
        checkConfig: async () =>
          someReport({
            processNames: ['a', 'b'],
            watchExit: 'exits by pidfd',
            database: { kind: 'ok', description: 'mysql db1', report, unmatched: ['b'] },
          }),
      },
    });
    assert.equal(asked.code, 0);
    assert.match(
      asked.stdout,
      /^watch_exit: exits by pidfd\n.*MariaDB, 2 processes, 1 in alarm\n.*TEXT\nc\.ini is in order: 2 configured processes\n$/,
    );
    const one = { kind: 'ok', description: 'mysql db1', report: { ...report, processes: 1 }, unmatched: [] } as const;
    const small = await runCommand(['check-config', '--database'], {
      backends: {
        checkConfig: async () => someReport({ processNames: ['a'], database: one }),
      },
    });
    assert.match(small.stdout, /MariaDB, 1 process, 1 in alarm\n/);
    const refused = Array.from({ length: 102 }, (_, i) => ({ name: `p${i}`, reason: `p${i}.service is neither` }));
    const database = { ...one, leftAlone: { processes: refused, unseen: 1 } };
    const left = await runCommand(['check-config', '--database'], {
      backends: {
        checkConfig: async () => someReport({ processNames: ['a'], unnamed: 'the rule', database }),
      },
    });
    assert.match(left.stdout, /^the rule\n/);
    assert.match(left.stdout, /\np0 is not restarted: p0\.service is neither\n/);
    assert.match(
      left.stdout,
      /\nand 2 other processes \(all with --json\)\n1 more name was not examined\nonly_configured = true in \[monitor\] restarts only processes that have a section\nc\.ini is in order: 1 configured process\n$/,
    );
  });
});

describe('wrong usage', () => {
  const cases: [string[], RegExp][] = [
    [['sttaus'], /^monitor_service: unknown command 'sttaus' \(did you mean status\?\); see monitor_service --help\n$/],
    [['--config', 'x', 'frobnicate'], /^monitor_service: unknown command 'frobnicate'; see/],
    [['constructor'], /unknown command/],
    [['help', 'nosuch'], /^monitor_service: unknown command 'nosuch'; see monitor_service --help\n$/],
    [['help', 'statsu'], /^monitor_service: unknown command 'statsu' \(did you mean status\?\)/],
    [['--config', 'x', 'help', '--', 'nosuch'], /unknown command 'nosuch'/],
    [
      ['status', '--jsn'],
      /^monitor_service: unknown option '--jsn' \(Did you mean --json\?\); see monitor_service status --help\n$/,
    ],
    [['--nonsense'], /^monitor_service: unknown option '--nonsense'; see monitor_service --help\n$/],
    [['--config'], /^monitor_service: option '--config <file>' argument missing; see monitor_service --help\n$/],
    [['restart'], /^monitor_service: missing required argument 'name'; see monitor_service restart --help\n$/],
    [['restart', 'a', 'b'], /^monitor_service: too many arguments.*; see monitor_service restart --help\n$/],
    [['restart', ''], /^monitor_service: the name is empty; see monitor_service restart --help\n$/],
    [['run', '--nonsense'], /^monitor_service: unknown option '--nonsense'; see monitor_service run --help\n$/],
    [['hold', 'x', '--for', 'long'], /[^.]; see monitor_service hold --help\n$/],
    [['--restart'], /^monitor_service: missing required argument 'name'; see monitor_service restart --help\n$/],
    [['hold'], /^monitor_service: expected either a name or --all; see monitor_service hold --help\n$/],
    [['hold', 'x', '--all'], /expected either a name or --all/],
    [['release'], /expected either a name or --all/],
    [['hold', 'x', '--for', 'tomorrow'], /'tomorrow' is invalid\. Expected 90, 90s, 30m, 2h or 1d/],
    [['hold', 'x', '--for', '0'], /is invalid/],
    [['hold', 'x', '--for', '99999d'], /is invalid/],
    [['\u001b[31mred'], /unknown command '\?\[31mred'/],
  ];
  for (const [argv, complaint] of cases) {
    it(JSON.stringify(argv.join(' ')), async () => {
      const run = await runCommand(argv);
      assert.equal(run.code, 64);
      assert.match(run.stderr, complaint);
      assert.match(run.stderr, /^[^\n]+\n$/, 'one line');
      assert.equal(run.stdout, '');
      assert.deepEqual(run.calls, []);
    });
  }
});

describe('help', () => {
  it('lists commands and exit codes, and each command has its own', async () => {
    const help = await runCommand(['--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Exit codes:\n {2}0 /);
    const commands = [
      'run',
      'demo',
      'status',
      'restart',
      'alarm',
      'breaker',
      'hold',
      'release',
      'match',
      'pin',
      'unpin',
      'events',
      'reload',
      'check-config',
    ];
    for (const command of commands) {
      assert.match(help.stdout, new RegExp(`^  ${command}\\b`, 'm'));
      for (const argv of [
        [command, '--help'],
        ['help', command],
      ]) {
        const own = await runCommand(argv);
        assert.equal(own.code, 0);
        assert.match(own.stdout, new RegExp(`^Usage: monitor_service ${command}`));
        assert.ok(own.stdout.split('\n').every((line) => line.length <= 130));
      }
    }
    assert.deepEqual((await runCommand(['--version'])).stdout, 'monitor_service 9.9.9\n');
  });

  it('without a command is that of all', async () => {
    const help = await runCommand(['--help']);
    for (const argv of [['help'], ['help', 'help'], ['help', '--config', 'x']])
      assert.deepEqual(await runCommand(argv), help, argv.join(' '));
  });

  it('says of exit code 1 what it means to that command', async () => {
    for (const [command, meaning] of [
      ['restart', 'the process did not recover, or was not restarted'],
      ['match', 'a restart would be refused, or fail'],
      ['pin', 'nothing was pinned, or one of several could not be'],
    ])
      assert.match((await runCommand([command ?? '', '--help'])).stdout, new RegExp(`^ {2}1 +${meaning}$`, 'm'));
  });
});
