import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { DaemonSignals } from '../../../../src/app/daemon.ts';
import { configuredEventSocket } from '../../../../src/cli/events/address.ts';
import type { EventLine } from '../../../../src/core/process/event-line.ts';
import { DEFAULT_EVENT_SOCKET } from '../../../../src/core/process/event-line.ts';
import { type CliRunOptions, runCommand } from '../../../helpers/cli-world.ts';
import { loginThen, seedLines, startEventServer } from '../../../helpers/event-server.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

/** Signals that a test gives. */
function signalsByHand() {
  const stops: (() => void)[] = [];
  const reloads: (() => void)[] = [];
  const signals: DaemonSignals = {
    onStop: (handler) => void stops.push(handler),
    onAbort: () => {},
    onReload: (handler) => void reloads.push(handler),
  };
  const all = (handlers: (() => void)[]) => (): void => {
    for (const handler of handlers) handler();
  };
  return { signals, stop: all(stops), hangUp: all(reloads) };
}

/** Runs `events` against a server that says `text`, until the server ends it. */
async function against(t: TestContext, text: string, argv: string[] = [], options: CliRunOptions = {}) {
  const server = await startEventServer(t, 'unix', (socket) => void socket.end(text));
  const { signals } = signalsByHand();
  return { ...(await runCommand(['events', '--socket', server.path, ...argv], { signals, ...options })), server };
}

const line = (changes: object): string => `${JSON.stringify({ time: '2026-11-21T09:08:07.065Z', ...changes })}\n`;

describe('events, from a server', () => {
  it('are aligned lines under a header, and a line says at the end of the stream what came', async (t) => {
    const run = await against(t, seedLines.join(''));
    const [header, ...lines] = run.stdout.trimEnd().split('\n');
    assert.match(header ?? '', /^TIME +EVENT +USER +PID {2}NAME +DETAILS$/);
    assert.deepEqual(
      lines.map((text) => text.slice(14)),
      [
        'exit      root      4162819  -                exit 1',
        'fork      -             755  -                → child 4162820',
        'exec      root      4162820  sleep            sleep 1',
        'exit      unknown   4162820  sleep            SIGSEGV (core dumped) after 0 ms',
      ],
    );
    assert.match(
      run.stderr,
      /^monitor_service: \/.*events\.sock closed the connection; until then 4 events in \d+\.\d s \([\d.]+ a second\): 2 exit, 1 fork, 1 exec; none lost\n$/,
    );
    assert.equal(run.code, 69);
  });

  it('are objects as they came with --json, less what a terminal might obey', async (t) => {
    const evil = '{"event":"exec", "pid":1, "user":"root", "cmdline":"a\u009b31m\u202e\\u001b"}\n';
    const run = await against(t, seedLines.join('') + evil, ['--json']);
    const [last, ...rest] = run.stdout.trimEnd().split('\n').reverse();
    assert.equal(`${rest.reverse().join('\n')}\n`, seedLines.join(''));
    assert.equal(last, '{"event":"exec", "pid":1, "user":"root", "cmdline":"a\\u009b31m\\u202e\\u001b"}');
    assert.deepEqual(JSON.parse(last ?? ''), JSON.parse(evil));
  });

  it('survive lines that are not events, and say how many there were', async (t) => {
    const junk =
      'Password?\n{"event":"exec","pid":1,"user":"root","cmdline":"sh -c "x""}\n\u0000\u0001\n[]\n{"event":"born"}\n{"event":"ex';
    const run = await against(t, `${seedLines[0]}${junk}`, ['--json']);
    assert.equal(run.stdout, seedLines[0]);
    assert.match(run.stderr, /; until then 1 event in .*; none lost; 6 lines not understood\n$/);
  });

  it('are marked if some were lost', async (t) => {
    const run = await against(t, line({ event: 'lost', count: 12 }), [], { terminal: [100, 20] });
    assert.match(run.stdout, /\u001b\[31mLOST\u001b\[39m.*\u001b\[31m12 events did not arrive\u001b\[39m/);
    assert.match(run.stderr, /; 12 LOST\n$/);
  });

  it('are cut to the terminal', async (t) => {
    const text = line({ event: 'exec', pid: 1, user: 'root', comm: 'x', cmdline: '名'.repeat(1000) });
    const run = await against(t, text, [], { terminal: [80, 20], env: { NO_COLOR: '1' } });
    assert.match(run.stdout, /\n.{60}(名){9}…\n$/);
  });

  it('are those that were asked for, whatever the server sends', async (t) => {
    const text = [
      { event: 'exit', pid: 1, exit_code: 0, user: 'www', comm: 'nginx' },
      { event: 'exit', pid: 2, exit_code: 0, user: 'www', comm: 'other' },
      { event: 'exit', pid: 3, exit_code: 0, user: 'root', comm: 'nginx' },
      { event: 'exec', pid: 4, user: 'www', comm: 'nginx', cmdline: 'nginx' },
      { event: 'lost', count: 1 },
    ];
    const argv = ['-e', 'exit,fork', '--user', 'www', '--name', 'nginx', '--json'];
    const run = await against(t, text.map(line).join(''), argv);
    assert.deepEqual(
      run.stdout
        .trimEnd()
        .split('\n')
        .map((json) => JSON.parse(json).pid),
      [1, undefined],
    );
    await waitFor('the request', () => run.server.heard() === '{"events":["exit","fork"],"user":"www","name":"nginx"}\n');
  });

  it('are known by name from what came before, if the server does not say it', async (t) => {
    const run = await against(t, seedLines.join(''), ['--json', '--name', 'sleep']);
    assert.equal(run.stdout, `${seedLines[2]}${seedLines[3]}`);
  });
});

describe('events, over TCP', () => {
  const greet = loginThen((socket: Socket) => void socket.end(seedLines.join('')));
  const cases: [string, string[], Record<string, string>, number][] = [
    ['with --auth', ['-a', 'right'], {}, 69],
    ['with the variable', [], { MONITOR_SERVICE_AUTH: 'right' }, 69],
    ['the option goes before the variable', ['-a', 'right'], { MONITOR_SERVICE_AUTH: 'wrong' }, 69],
    ['with a wrong password', [], { MONITOR_SERVICE_AUTH: 'wrong' }, 77],
    ['without one', [], {}, 77],
  ];
  for (const [name, argv, env, code] of cases) {
    it(name, async (t) => {
      const server = await startEventServer(t, 'tcp', greet);
      const { signals } = signalsByHand();
      for (const address of [String(server.port), `127.0.0.1:${server.port}`, `localhost:${server.port}`]) {
        const run = await runCommand(['events', '-t', address, '--json', ...argv], { signals, env });
        assert.equal(run.code, code);
        assert.equal(run.stdout, code === 69 ? seedLines.join('') : '');
        assert.doesNotMatch(run.stderr, /right|wrong/, 'the password is in no message');
      }
    });
  }

  it('with a file that holds the password', async (t) => {
    const server = await startEventServer(t, 'tcp', greet);
    const file = join(tempDir(t), 'password');
    writeFileSync(file, 'right\n', { mode: 0o600 });
    const { signals } = signalsByHand();
    const run = await runCommand(['events', '-t', String(server.port), '--auth-file', file], { signals });
    assert.match(run.stderr, /; until then 4 events in /);
  });

  it('says what a server says that is full, and ends with 75', async (t) => {
    const full = 'Too many clients (10 at most).\u001b[2J Disconnecting.\n';
    const run = await against(t, full);
    assert.equal(run.code, 75);
    assert.match(
      run.stderr,
      /^monitor_service: \/.* closed the connection: Too many clients \(10 at most\)\.\?\[2J Disconnecting\.\n$/,
    );
    assert.equal(run.stdout, '');
  });
});

describe('the stream that is meant', () => {
  it('is the one that the configuration names, else the usual one', async (t) => {
    const server = await startEventServer(t, 'unix', (socket) => void socket.end(seedLines.join('')));
    const file = join(tempDir(t), 'config.ini');
    writeFileSync(file, `[events]\nsocket = ${server.path}\n`, { mode: 0o600 });
    const { signals } = signalsByHand();
    const run = await runCommand(['events', '--config', file], { signals });
    assert.match(run.stderr, /; until then 4 events in /);
    writeFileSync(file, '[monitor]\n', { mode: 0o600 });
    assert.equal(configuredEventSocket({ option: file, env: {}, isRoot: true }), DEFAULT_EVENT_SOCKET);
    const missing = await runCommand(['events', '--config', '/nowhere/c.ini'], { signals });
    assert.equal(missing.code, 78);
  });
});

describe('events --direct', () => {
  const exec: EventLine = { event: 'exec', pid: 7, user: 'root', cmdline: 'x', comm: 'x', time: '2026-11-21T09:08:07.065Z' };

  it('shows what the kernel reports, and what it lost', async () => {
    const run = await runCommand(['events', '-d', '--json', '--name', 'x'], {
      backends: {
        followEvents: async ({ types, onLines }) => {
          assert.deepEqual([...types], ['exec', 'exit', 'fork']);
          onLines([exec, { ...exec, comm: 'y' }]);
          onLines([{ event: 'lost', count: 2, time: exec.time }]);
          return { kind: 'ended', received: 2, lost: 5 };
        },
      },
    });
    assert.deepEqual(
      run.stdout
        .trimEnd()
        .split('\n')
        .map((json) => JSON.parse(json)),
      [exec, { event: 'lost', count: 2, time: exec.time }],
    );
    assert.match(run.stderr, /^monitor_service: 1 event in .*: 1 exec; 5 LOST\n$/);
    assert.equal(run.code, 0);
  });

  it('asks for the kinds that are wanted', async () => {
    const run = await runCommand(['events', '--direct', '--events', 'Exec, comm']);
    assert.deepEqual(run.calls, [['followEvents', ['exec', 'comm']]]);
  });

  it('stops if the terminal hangs up', async () => {
    const { signals, hangUp } = signalsByHand();
    const running = runCommand(['events', '-d'], {
      signals,
      backends: {
        followEvents: (options) =>
          new Promise((resolve) => {
            options.signals.onStop(() => resolve({ kind: 'ended', received: 0, lost: 0 }));
            setImmediate(hangUp);
          }),
      },
    });
    assert.equal((await running).code, 0);
  });

  it('says why it is not available', async () => {
    const followEvents = async () => ({ kind: 'unavailable', reason: 'no proc connector here' }) as const;
    const run = await runCommand(['events', '-d'], { backends: { followEvents } });
    assert.deepEqual([run.code, run.stdout, run.stderr], [69, '', 'monitor_service: no proc connector here\n']);
  });
});

describe('events --serve', () => {
  const cases: [string[], object][] = [
    [[], { socket: '/var/run/procMonitor.sock', tcp: undefined, auth: undefined, clients: 10 }],
    [['-c', '20', '-s', '/tmp/p.sock'], { socket: '/tmp/p.sock', tcp: undefined, auth: undefined, clients: 20 }],
    [
      ['--tcp', '8080', '--auth', 'pw', '--clients', '50'],
      { socket: undefined, tcp: { host: '127.0.0.1', port: 8080 }, auth: 'pw', clients: 50 },
    ],
    [['-t', '[::1]:80', '-s', '/x', '-a', 'pw'], { socket: '/x', tcp: { host: '::1', port: 80 }, auth: 'pw', clients: 10 }],
  ];
  for (const [argv, expected] of cases) {
    it(argv.join(' '), async () => {
      const run = await runCommand(['events', '--serve', '-e', 'exec,fork', ...argv]);
      assert.deepEqual(run.calls, [['serveEvents', ['exec', 'fork'], expected]]);
      assert.deepEqual([run.code, run.stdout, run.stderr], [0, 'serving\n', '']);
    });
  }

  it('says why it cannot serve', async () => {
    const serveEvents = async () => ({ kind: 'unavailable', reason: 'no proc connector here' }) as const;
    const run = await runCommand(['events', '--serve'], { backends: { serveEvents } });
    assert.deepEqual([run.code, run.stderr], [69, 'monitor_service: no proc connector here\n']);
  });
});

describe('events, used wrongly', () => {
  const cases: [string[], RegExp][] = [
    [['-e', 'exec,exti'], /'exec,exti' is invalid\. Unknown event 'exti' \(did you mean exit\?\); there are exec, exit, fork/],
    [['-e', ''], /Unknown event ''/],
    [['-e', 'lost'], /Unknown event 'lost'/],
    [['-e', 'constructor'], /Unknown event/],
    [['-t', '0'], /Expected PORT, HOST:PORT or \[IPv6\]:PORT/],
    [['-t', '65536'], /Expected PORT/],
    [['-t', '::1:80'], /Expected PORT/],
    [['-t', '[127.0.0.1]:80'], /Expected PORT/],
    [['-t', '1.2.3:80'], /Expected PORT/],
    [['-t', 'a b:80'], /Expected PORT/],
    [['-s', ''], /It is empty/],
    [['-s', '/x/'], /It names a folder/],
    [['-t', 'user@host:80'], /Expected PORT/],
    [['-t', '*:80'], /Expected PORT/],
    [['-s', '/x'.repeat(100)], /too long for a socket/],
    [['-s', '/x', '-t', '80'], /expected either --socket or --tcp/],
    [['-a', 'x'], /--auth is for --tcp/],
    [['--auth-file', '/etc/hostname'], /--auth-file is for --tcp/],
    [['--tls'], /--tls is for --tcp/],
    [['-t', '80', '-a', ''], /the password is empty/],
    [['-t', '80', '-a', 'a\nb'], /holds a line break/],
    [['-t', '80', '-a', 'x'.repeat(257)], /too long/],
    [['-t', '80', '--auth-file', '/nowhere/x'], /cannot be read: ENOENT/],
    [['-t', '80', '--auth-file', '/dev/null'], /not a regular file/],
    [['-t', '80', '-a', 'x', '--auth-file', '/etc/hostname'], /cannot be used with option/],
    [['-c', '5'], /--clients is for --serve/],
    [['--serve', '-c', '0'], /from 1 to 1000/],
    [['--serve', '-c', '1001'], /from 1 to 1000/],
    [['--serve', '-t', '80'], /needs a password/],
    [['--serve', '--direct'], /cannot be used with option/],
    [['--serve', '--json'], /cannot be used with option/],
    [['--direct', '-s', '/x'], /cannot be used with option/],
    [['--direct', '-t', '80'], /cannot be used with option/],
    [['--user', ''], /It is empty/],
    [['--name', 'x'.repeat(256)], /too long/],
    [['nginx'], /too many arguments/],
  ];
  for (const [argv, complaint] of cases) {
    it(JSON.stringify(argv.join(' ').slice(0, 60)), async () => {
      const run = await runCommand(['events', ...argv]);
      assert.match(run.stderr, complaint);
      assert.match(run.stderr, /^[^\n]+\n$/, 'one line');
      assert.deepEqual([run.code, run.stdout, run.calls], [64, '', []]);
    });
  }
});
