import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { EventAddress } from '../../../../src/cli/events/address.ts';
import { followStream } from '../../../../src/cli/events/client.ts';
import type { StreamEnd } from '../../../../src/cli/events/stream-end.ts';
import { userWords } from '../../../../src/system/accounts/names.ts';
import { createCertificates } from '../../../helpers/certificates.ts';
import { runCommand } from '../../../helpers/cli-world.ts';
import { endAfter } from '../../../helpers/end-after.ts';
import { loginThen, seedLines, startEventServer } from '../../../helpers/event-server.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { asRoot, missing } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

interface Following {
  readonly lines: string[];
  readonly skipped: () => number;
  readonly isOpen: () => boolean;
  readonly stop: () => void;
  readonly ended: Promise<StreamEnd>;
}

function follow(
  t: TestContext,
  address: EventAddress,
  {
    password,
    request,
    onLines,
    believed = [process.geteuid?.() ?? 0],
  }: { password?: string; request?: string; onLines?: () => Promise<void>; believed?: readonly number[] } = {},
): Following {
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const lines: string[] = [];
  let skippedSoFar = 0;
  let open = false;
  const ended = followStream({
    address,
    password,
    trustedUsers: () => new Set(believed),
    request,
    stopping: stopping.signal,
    onOpen: () => {
      open = true;
    },
    onLines: (more, skipped) => {
      for (const line of more) lines.push(line);
      skippedSoFar += skipped;
      return onLines?.();
    },
  });
  return { lines, skipped: () => skippedSoFar, isOpen: () => open, stop: () => stopping.abort(), ended };
}

const unix = (path: string): EventAddress => ({ kind: 'unix', path });
const tcp = (port: number, host = '127.0.0.1'): EventAddress => ({ kind: 'tcp', host, port, tls: undefined });
const seen = seedLines.map((line) => line.trimEnd());

describe('a client of an event stream', () => {
  it('gets the lines of a Unix socket, asks for what it wants, and ends on request', async (t) => {
    const server = await startEventServer(t, 'unix', (socket) => void socket.write(seedLines.join('')));
    const client = follow(t, unix(server.path), { request: '{"events":["exit"]}' });
    await waitFor('the lines', () => client.lines.length === 4);
    assert.deepEqual(client.lines, seen);
    await waitFor('the request', () => server.heard() === '{"events":["exit"]}\n');
    client.stop();
    assert.deepEqual(await client.ended, { kind: 'stopped' });
    await waitFor('its leaving', () => server.sockets[0]?.readableEnded);
  });

  it('asks a server that says nothing, too', async (t) => {
    const server = await startEventServer(t, 'unix', () => {});
    const client = follow(t, unix(server.path), { request: '{"user":"a"}' });
    await waitFor('the request', () => server.heard() === '{"user":"a"}\n');
    assert.ok(client.isOpen());
  });

  it('puts lines together that come in any pieces', async (t) => {
    const text = Buffer.from(`${seedLines.join('')}{"event":"exec","pid":1,"cmdline":"名前 👩‍👩‍👧"}\r\n\n`);
    const pieces = async (socket: Socket): Promise<void> => {
      socket.setNoDelay(true);
      for (const byte of text) {
        await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
        await new Promise(setImmediate);
      }
      socket.end('{"event":"exit","pid":1,"exit_');
    };
    const server = await startEventServer(t, 'unix', (socket) => void pieces(socket));
    const client = follow(t, unix(server.path));
    assert.deepEqual(await client.ended, { kind: 'closed', reason: `${server.path} closed the connection` });
    assert.deepEqual(client.lines, [
      ...seen,
      '{"event":"exec","pid":1,"cmdline":"名前 👩‍👩‍👧"}',
      '{"event":"exit","pid":1,"exit_',
    ]);
  });

  it('takes a line of 1 MB, and passes over one that is longer than anything can be', async (t) => {
    const long = `{"event":"exec","pid":1,"user":"a","cmdline":"${'x'.repeat(1024 * 1024)}"}`;
    const server = await startEventServer(t, 'unix', (socket) => {
      socket.write(`${long}\n${'y'.repeat(17 * 1024 * 1024)}\n${seedLines[0]}`);
    });
    const client = follow(t, unix(server.path));
    await waitFor('the last line', () => client.lines.at(-1) === seen[0]);
    assert.deepEqual(client.lines, [long, seen[0]]);
    assert.equal(client.skipped(), 1);
  });

  it('reads no more while what it has read is not dealt with', async (t) => {
    let sent = 0;
    const block = 'x'.repeat(65_535);
    const server = await startEventServer(t, 'unix', (socket) => {
      const more = (): void => {
        while (sent < 60 && socket.write(`${block}\n`)) sent++;
      };
      socket.on('drain', more);
      more();
    });
    let goOn = (): void => {};
    const client = follow(t, unix(server.path), {
      onLines: () =>
        new Promise((resolve) => {
          goOn = resolve;
        }),
    });
    await waitFor('something', () => client.lines.length > 0);
    let taken = 0;
    let unchanged = 0;
    await waitFor('a server that has to wait', () => {
      const now = (server.sockets[0]?.bytesWritten ?? 0) - (server.sockets[0]?.writableLength ?? 0);
      unchanged = now === taken ? unchanged + 1 : 0;
      taken = now;
      return unchanged === 20;
    });
    assert.ok(sent < 60);
    await waitFor('the rest', () => {
      goOn();
      return client.lines.length >= 60;
    });
  });

  it('says that nobody listens, and what can be done', async (t) => {
    const path = join(tempDir(t), 'none.sock');
    const end = await follow(t, unix(path)).ended;
    assert.equal(end.kind, 'unreachable');
    assert.match('reason' in end ? end.reason : '', /^nobody listens on \/.*none\.sock: .*\[events\].*--direct/);
    const port = await freePort();
    const remote = await follow(t, tcp(port)).ended;
    assert.match(
      'reason' in remote ? remote.reason : '',
      new RegExp(`^nobody listens on 127\\.0\\.0\\.1:${port}: .*\\[events\\] tcp`),
    );
    const nowhere = await follow(t, tcp(1, 'no-such-host.invalid')).ended;
    assert.equal(nowhere.kind, 'unreachable');
    assert.match('reason' in nowhere ? nowhere.reason : '', /^no connection to no-such-host\.invalid:1 \(E/);
  });

  it('says that the connection was cut', async (t) => {
    const server = await startEventServer(t, 'tcp', (socket) => void socket.write(`${seedLines[0]}`));
    const client = follow(t, tcp(server.port));
    await waitFor('a line', () => client.lines.length === 1);
    server.sockets[0]?.resetAndDestroy();
    assert.deepEqual(await client.ended, {
      kind: 'closed',
      reason: `the connection to 127.0.0.1:${server.port} broke (ECONNRESET)`,
    });
  });

  it('sees what a server says that hangs up at once', async (t) => {
    for (const kind of ['unix', 'tcp'] as const) {
      const server = await startEventServer(t, kind, (socket) => {
        socket.end('Too many clients (10 at most). Disconnecting.\n', () => socket.destroy());
      });
      const client = follow(t, kind === 'unix' ? unix(server.path) : tcp(server.port), { request: '{}' });
      assert.equal((await client.ended).kind, 'closed');
      assert.deepEqual(client.lines, ['Too many clients (10 at most). Disconnecting.']);
    }
  });

  it('sees it every time, though it would write to that server', async (t) => {
    const path = join(tempDir(t), 'full.sock');
    const program = `require('node:net').createServer((socket) => {
      socket.on('error', () => {});
      socket.end('Too many clients\\n', () => socket.destroy());
    }).listen(process.argv[1], () => process.stdout.write('up'))`;
    // A process of its own: only then does it hang up between our connecting and our writing.
    const full = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(async () => {
      full.kill('SIGKILL');
      await once(full, 'close');
    });
    await once(full.stdout, 'data');
    for (let i = 0; i < 100; i++) {
      const client = follow(t, unix(path), { request: '{}' });
      await client.ended;
      assert.deepEqual(client.lines, ['Too many clients']);
    }
  });

  it('may be stopped before it is connected', async () => {
    const options = { password: undefined, request: undefined, stopping: AbortSignal.abort(), onOpen: () => {} };
    const trustedUsers = () => new Set<number>();
    const end = await followStream({ ...options, trustedUsers, address: tcp(9, '192.0.2.1'), onLines: () => undefined });
    assert.deepEqual(end, { kind: 'stopped' });
  });
});

describe('the password of a server on this machine', () => {
  it('is not sent to a stranger that listens on the port', async (t) => {
    const server = await startEventServer(
      t,
      'tcp',
      loginThen((socket) => void socket.write(seedLines.join(''))),
    );
    const us = process.geteuid?.() ?? 0;
    for (const host of ['127.0.0.1', 'localhost', '::ffff:127.0.0.1']) {
      const end = await follow(t, tcp(server.port, host), { password: 'right', believed: [us + 1] }).ended;
      assert.equal(end.kind, 'forbidden');
      const name = host.includes(':') ? `[${host}]` : host;
      assert.equal(
        'reason' in end && end.reason,
        `${name}:${server.port}: a process of ${userWords(us)} listens there; it was not sent the password (with --tls a server of another user is trusted by its certificate)`,
      );
    }
    // The first that is sent anything.
    const client = follow(t, tcp(server.port), { password: 'right', believed: [us + 1, us] });
    await waitFor('the lines', () => client.lines.length === 4);
    assert.equal(server.heard(), 'right\n');
  });

  it('is not sent if another user has the port, by the command too', asRoot, async (t) => {
    const port = await freePort();
    const script = `require('node:net').createServer((c) => { c.on('data', (b) => console.log('STOLEN ' + b)).on('error', () => {}); c.write('Password: '); }).listen(${port}, '127.0.0.1', () => console.log('up'));`;
    const child = spawn(process.execPath, ['-e', script], { uid: 4711, gid: 4711, stdio: ['ignore', 'pipe', 'inherit'] });
    endAfter(t, child);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await waitFor('the stranger', () => said !== '');
    const run = await runCommand(['events', '--tcp', String(port)], {
      env: { MONITOR_SERVICE_AUTH: 'secret' },
      signals: { onStop: () => {}, onAbort: () => {}, onReload: () => {} },
    });
    assert.deepEqual([run.code, run.stdout], [77, '']);
    assert.match(run.stderr, /a process of user 4711 listens there; it was not sent the password/);
    assert.equal(said, 'up\n');
  });
});

describe('the login over TCP', () => {
  it('sends the password when it is asked for it, then asks for what it wants', async (t) => {
    const server = await startEventServer(
      t,
      'tcp',
      loginThen((socket) => void socket.write(seedLines.join(''))),
    );
    const client = follow(t, tcp(server.port), { password: 'right', request: '{"name":"a"}' });
    await waitFor('the lines', () => client.lines.length === 4);
    assert.deepEqual(client.lines, seen);
    await waitFor('the request', () => server.heard() === 'right\n{"name":"a"}\n');
  });

  it('in pieces, and without a line end after the answer', async (t) => {
    const slowly = async (socket: Socket, text: string): Promise<void> => {
      for (const character of text) {
        socket.write(character);
        await new Promise(setImmediate);
      }
    };
    const server = await startEventServer(t, 'tcp', (socket) => {
      socket.setNoDelay(true);
      void slowly(socket, 'Password: ');
      socket.once('data', () => void slowly(socket, `Authentication successful.${seedLines.join('')}`));
    });
    const client = follow(t, tcp(server.port), { password: 'right' });
    await waitFor('the lines', () => client.lines.length === 4);
    assert.deepEqual(client.lines, seen);
    assert.equal(server.heard(), 'right\n');
  });

  it('with a wrong password, and with none', async (t) => {
    const server = await startEventServer(
      t,
      'tcp',
      loginThen(() => assert.fail('it is not in')),
    );
    const wrong = await follow(t, tcp(server.port), { password: 'wrong' }).ended;
    assert.deepEqual(wrong, { kind: 'forbidden', reason: `127.0.0.1:${server.port} refuses the password` });
    const none = await follow(t, tcp(server.port)).ended;
    assert.equal(none.kind, 'forbidden');
    assert.match('reason' in none ? none.reason : '', /asks for a password \(.*MONITOR_SERVICE_AUTH.*--auth-file/);
    assert.equal(server.heard(), 'wrong\n', 'nothing but a password is sent before one is in');
  });

  it('is not needed if the server sends events at once', async (t) => {
    const server = await startEventServer(t, 'tcp', (socket) => void socket.write(seedLines.join('')));
    const client = follow(t, tcp(server.port), { password: 'right' });
    await waitFor('the lines', () => client.lines.length === 4);
    assert.equal(server.heard(), '');
  });

  it('sees why a server disconnects a client that is logged in', async (t) => {
    const full = (socket: Socket): void => void socket.end('Too many clients (10 at most). Disconnecting.\n');
    const server = await startEventServer(t, 'tcp', (socket) => {
      socket.write('Password: ');
      socket.once('data', () => full(socket));
    });
    const client = follow(t, tcp(server.port), { password: 'right' });
    assert.equal((await client.ended).kind, 'closed');
    assert.deepEqual(client.lines, ['Too many clients (10 at most). Disconnecting.']);
  });
});

describe('an event stream over TLS', { skip: missing('openssl') }, () => {
  async function secured(t: TestContext) {
    const dir = tempDir(t);
    createCertificates(dir, ['IP:127.0.0.1']);
    const pem = (name: string): string => readFileSync(join(dir, name), 'utf8');
    const identity = { cert: pem('server.pem'), key: pem('server.key') };
    const greet = loginThen((socket) => void socket.write(seedLines.join('')));
    const server = await startEventServer(t, 'tcp', greet, (listener) =>
      createTlsServer(identity, listener).on('tlsClientError', () => {}),
    );
    return { server, ca: pem('ca.pem') };
  }
  const over = (port: number, ca: string | undefined, host = '127.0.0.1'): EventAddress => ({
    kind: 'tcp',
    host,
    port,
    tls: { ca },
  });

  it('comes from a server whose authority is trusted', async (t) => {
    const { server, ca } = await secured(t);
    const client = follow(t, over(server.port, ca), { password: 'right' });
    await waitFor('the lines', () => client.lines.length === 4);
  });

  it('does not come from any other', async (t) => {
    const { server, ca } = await secured(t);
    for (const [address, words] of [
      [over(server.port, undefined), /is not trusted \(.*--tls-ca\)$/],
      [over(server.port, ca, 'localhost'), /is not trusted \(.*altnames/i],
    ] as const) {
      const end = await follow(t, address, { password: 'right' }).ended;
      assert.equal(end.kind, 'unreachable');
      assert.match('reason' in end ? end.reason : '', words);
    }
    assert.equal(server.heard(), '', 'the password is not sent to a stranger');
  });

  it('may be what a server waits for that hangs up and has said nothing', async (t) => {
    const server = await startEventServer(t, 'tcp', (socket) => void socket.end());
    const end = await follow(t, { kind: 'tcp', host: '127.0.0.1', port: server.port, tls: undefined }).ended;
    assert.match(
      'reason' in end ? end.reason : '',
      / closed the connection without sending anything \(does it need --tls\?\)$/,
    );
  });

  it('says so if the server does not speak it', async (t) => {
    const server = await startEventServer(
      t,
      'tcp',
      loginThen(() => {}),
    );
    const end = await follow(t, over(server.port, undefined)).ended;
    assert.match('reason' in end ? end.reason : '', /does not speak TLS/);
  });
});
