import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import type { Clock } from '../../../../src/core/clock.ts';
import { FailedLogins } from '../../../../src/stream/login/failed.ts';
import type { TlsIdentity } from '../../../../src/stream/secure-socket.ts';
import { createCertificates } from '../../../helpers/certificates.ts';
import { endAfter } from '../../../helpers/end-after.ts';
import { clientsOf, exitOf, NO_PID, RawClient, type StreamWorld, startStream } from '../../../helpers/event-world.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { asRoot, missing } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const GOOD = 'Password: Authentication successful.\n';
const BAD = 'Password: Authentication failed. Disconnecting.\n';

async function startTcp(
  t: TestContext,
  {
    clock,
    tls,
    clients = 10,
    auth = 'open sesame',
  }: { clock?: Clock; tls?: TlsIdentity; clients?: number; auth?: string } = {},
): Promise<StreamWorld & { readonly port: number }> {
  const port = await freePort();
  const tcp = { host: '127.0.0.1', port, auth, tls };
  return { ...(await startStream(t, { tcp, clients, ...(clock === undefined ? {} : { clock }) })), port };
}

/** A connection that says `password` once it is asked. */
async function logIn(t: TestContext, port: number, password: string | Buffer, from?: string): Promise<RawClient> {
  const client = await RawClient.open(t, port, from);
  await client.says('Password: ');
  client.socket.write(password);
  return client;
}

describe('the login over TCP', () => {
  it('lets in clients that know the password, and sends nothing to others', async (t) => {
    const { source, server, port } = await startTcp(t);
    const inside = await logIn(t, port, 'open sesame\n');
    const alsoInside = await logIn(t, port, 'open sesame\r\n{"events":["fork"]}\n');
    await clientsOf(server, 2);
    const silent = await RawClient.open(t, port);
    const wrong = await Promise.all(['open sesam\n', 'open sesame \n', '\n'].map((password) => logIn(t, port, password)));
    await waitFor('the filter', async () => {
      inside.text = '';
      alsoInside.text = '';
      source.tell(exitOf(NO_PID), { type: 'fork', at: 1, pid: NO_PID, parentPid: 1 });
      await alsoInside.says('"fork"');
      return alsoInside.events().length === 1;
    });
    await inside.says('"exit"');
    for (const client of wrong) {
      await client.gone();
      assert.equal(client.text, BAD);
    }
    assert.equal(silent.text, 'Password: ');
  });

  it('answers each in its own line', async (t) => {
    const { server, port } = await startTcp(t);
    const inside = await logIn(t, port, 'open sesame\n');
    await clientsOf(server, 1);
    await inside.says(GOOD);
    assert.equal(inside.text, GOOD);
  });

  it('takes a password of 256 bytes, in pieces too, and none that is longer', async (t) => {
    const auth = 'ü'.repeat(128);
    const { port } = await startTcp(t, { auth });
    const bytes = Buffer.from(`${auth}\r\n`);
    const inside = await logIn(t, port, bytes.subarray(0, 100));
    inside.socket.setNoDelay(true);
    inside.socket.write(bytes.subarray(100, 257));
    inside.socket.write(bytes.subarray(257));
    await inside.says(GOOD);
    const outside = await logIn(t, port, `${auth}x\n`);
    await outside.gone();
    assert.equal(outside.text, BAD);
  });

  it('is not harmed by 10 MB of junk', async (t) => {
    const { source, server, port } = await startTcp(t);
    const inside = await logIn(t, port, 'open sesame\n');
    await clientsOf(server, 1);
    const before = process.memoryUsage().rss;
    const junk = await logIn(t, port, Buffer.alloc(10 * 1024 * 1024, 'x'));
    source.tell(exitOf(NO_PID));
    await inside.says('"exit"');
    await junk.gone();
    assert.equal(junk.text, BAD);
    // Both ends are in this process, and the 10 MB with them.
    assert.ok(process.memoryUsage().rss - before < 40 * 1024 * 1024);
  });

  it('waits 10 s for a password and a second before it says no', async (t) => {
    const clock = new FakeClock();
    const { port } = await startTcp(t, { clock });
    const silent = await RawClient.open(t, port);
    await silent.says('Password: ');
    await clock.advance(9000);
    assert.equal(silent.text, 'Password: ');
    const wrong = await logIn(t, port, 'guess\n');
    // Time stands still: whenever the guess arrives, the answer cannot come before the clock has moved on.
    await clock.advance(900);
    assert.equal(silent.text, 'Password: ');
    await waitFor('the first to be told', async () => {
      await clock.advance(50);
      return silent.text !== 'Password: ';
    });
    await waitFor('the second to be told', async () => {
      await clock.advance(50);
      return wrong.text !== 'Password: ';
    });
    await Promise.all([silent.gone(), wrong.gone()]);
    assert.deepEqual([silent.text, wrong.text], [BAD, BAD]);
  });

  it('slows down who keeps failing on this machine, by however many connections, and refuses nobody', async (t) => {
    const clock = new FakeClock();
    const { server, port, log } = await startTcp(t, { clock });
    const failures = () => log.of('warning');
    const crowd = await Promise.all(
      Array.from({ length: 40 }, (_, i) => logIn(t, port, `guess ${i}\n`, `127.${i}.0.${i + 1}`)),
    );
    await waitFor('five failures', () => failures().length === 5);
    assert.match(failures()[0] ?? '', /^Event stream: login from 127\.\d+\.0\.\d+ \(user \d+\) failed$/);
    assert.match(failures()[4] ?? '', /failed; further attempts are slowed down$/);
    // One every two seconds, and nobody hears anything without his turn.
    await clock.advance(1900);
    assert.equal(failures().length, 5);
    assert.equal(crowd.filter(({ text }) => text !== 'Password: ').length <= 5, true);
    await clock.advance(8200);
    assert.equal(failures().length, 10);
    // Who comes now is next, before all who wait.
    const right = await logIn(t, port, 'open sesame\n');
    await waitFor('the password to arrive', async () => {
      await clock.advance(100);
      return server.counters().clients === 1;
    });
    await right.says(GOOD);
    assert.ok(failures().length <= 12, `${failures().length}`);
    // Nobody waits for ever: those of the crowd who were not looked at are told to go.
    await waitFor('the crowd gone', async () => {
      await clock.advance(2000);
      return crowd.every(({ closed }) => closed);
    });
    assert.ok(failures().length < 30, `${failures().length}`);
    assert.equal(server.counters().failedLogins, failures().length);
    // At rest all is as before.
    await clock.advance(20_000);
    await logIn(t, port, 'open sesame\n');
    await clientsOf(server, 2);
  });

  it('does not slow down who knows the password, however often he comes', async (t) => {
    const { server, port, log } = await startTcp(t, { clock: new FakeClock(), clients: 30 });
    for (let i = 0; i < 30; i++) await (await logIn(t, port, 'open sesame\n')).says(GOOD);
    await clientsOf(server, 30);
    assert.deepEqual(log.of('warning'), []);
  });

  it('lets in who knows the password while another user of this machine does nothing but guess', asRoot, async (t) => {
    const { server, port, log } = await startTcp(t);
    const began = performance.now();
    // As many connections as it gets, each with a guess; what it is answered it does not wait for.
    const script = `const { connect } = require('node:net');
      const guess = () => {
        const socket = connect(${port}, '127.0.0.1', () => socket.write('guess\\n'));
        socket.on('error', () => {}).on('close', () => setTimeout(guess, 1)).on('data', () => {});
        setTimeout(() => socket.destroy(), 300);
      };
      for (let i = 0; i < 100; i++) guess();`;
    const guesser = spawn(process.execPath, ['-e', script], { uid: 65534, gid: 65534, stdio: 'ignore' });
    endAfter(t, guesser);
    await waitFor('it is slowed down', () => log.of('warning').some((line) => line.includes('slowed down')));
    for (let i = 0; i < 5; i++) {
      const client = await logIn(t, port, 'open sesame\n');
      await client.says(GOOD);
      await clientsOf(server, i + 1);
    }
    const most = 6 + (performance.now() - began) / 2000;
    const guesses = Map.groupBy(log.of('warning'), (line) => /login from (.*) failed/.exec(line)?.[1]);
    // On a busy machine some of its connections have ended when they are looked at, and are nobody's.
    for (const [who = '', lines] of guesses) {
      assert.match(who, /^127\.0\.0\.1(?: \(user 65534\))?$/);
      assert.ok(lines.length <= most, `${who}: ${lines.length}`);
    }
  });

  it('takes the end of what is sent as the end of the line, and keeps sending', async (t) => {
    const { source, server, port } = await startTcp(t, { clients: 1 });
    const client = await RawClient.open(t, port);
    client.socket.end('open sesame');
    await clientsOf(server, 1);
    source.tell(exitOf(NO_PID));
    await client.says('"exit"');
    const wrong = await RawClient.open(t, port);
    wrong.socket.end('open sesam');
    await wrong.gone();
    assert.equal(wrong.text, BAD);
    // Over TCP one that has gone looks like one that only sends no more.
    await logIn(t, port, 'open sesame\n');
    await client.gone();
    await clientsOf(server, 1);
  });

  it('is not harmed by 1,000 connections at once', async (t) => {
    const { source, server, port } = await startTcp(t);
    const inside = await logIn(t, port, 'open sesame\n');
    await clientsOf(server, 1);
    const crowd = await Promise.all(Array.from({ length: 1000 }, () => RawClient.open(t, port).catch(() => undefined)));
    await waitFor(
      'most of the crowd gone',
      () => crowd.filter((client) => client !== undefined && !client.closed).length <= 64,
    );
    const late = await logIn(t, port, 'open sesame\n');
    await clientsOf(server, 2);
    source.tell(exitOf(NO_PID));
    await inside.says('"exit"');
    await late.says('"exit"');
  });

  it('keeps root its places while somebody comes by numbers of his own by the hundred', asRoot, async (t) => {
    const { port } = await startTcp(t);
    const silent = await RawClient.open(t, port);
    await silent.says('Password: ');
    const script = `const { connect } = require('node:net');
      let closed = 0;
      (async () => {
        for (let i = 0; i < 200; i++) {
          process.seteuid(200_000 + i);
          connect(${port}, '127.0.0.1').on('error', () => {}).on('data', () => {}).on('close', () => console.log(++closed));
          await new Promise(setImmediate);
          process.seteuid(0);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      })();`;
    const crowd = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    endAfter(t, crowd);
    let gone = '';
    crowd.stdout.setEncoding('utf8').on('data', (text: string) => {
      gone += text;
    });
    await waitFor('those that are too many', () => gone.includes('136\n'));
    assert.equal(silent.closed, false);
    silent.socket.write('open sesame\n');
    await silent.says(GOOD);
  });

  it('says only to those who know the password that there is no room', async (t) => {
    const { port, server } = await startTcp(t, { clients: 1 });
    await logIn(t, port, 'open sesame\n');
    await clientsOf(server, 1);
    const second = await logIn(t, port, 'open sesame\n');
    await second.gone();
    assert.equal(second.text, 'Password: Too many clients (1 at most). Disconnecting.\n');
    const wrong = await logIn(t, port, 'guess\n');
    await wrong.gone();
    assert.equal(wrong.text, BAD);
  });

  it('hangs up on everybody at the end', async (t) => {
    const { port, server } = await startTcp(t);
    const clients = [await logIn(t, port, 'open sesame\n'), await RawClient.open(t, port), await logIn(t, port, 'guess\n')];
    await clientsOf(server, 1);
    await server.stop();
    for (const client of clients) await client.gone();
    await assert.rejects(RawClient.open(t, port), { code: 'ECONNREFUSED' });
  });
});

describe('the login over TLS', { skip: missing('openssl') }, () => {
  it('is the same, and plain bytes get nothing', async (t) => {
    const dir = tempDir(t);
    createCertificates(dir, ['IP:127.0.0.1']);
    const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
    const { source, server, port } = await startTcp(t, { tls: { cert: read('server.pem'), key: read('server.key') } });
    const open = (password: string): RawClient => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: read('ca.pem') });
      socket.once('secureConnect', () => socket.write(password));
      return new RawClient(t, socket);
    };
    const plain = await RawClient.open(t, port);
    plain.socket.write('open sesame\n'.repeat(10));
    await plain.gone();
    assert.doesNotMatch(plain.text, /Password|exit/);
    const wrong = open('guess\n');
    const inside = open('open sesame\n');
    await clientsOf(server, 1);
    source.tell(exitOf(NO_PID));
    await inside.says('"exit"');
    assert.ok(inside.text.startsWith(GOOD));
    await wrong.gone();
    assert.equal(wrong.text, BAD);
    await server.stop();
    await inside.gone();
  });
});

describe('the login from elsewhere', () => {
  it('is counted by address, and refused', { skip: asRoot.skip || missing('ip') }, async () => {
    // In a network of its own, where all of 192.0.2.0/24 and 2001:db8::/32 lead here and belong to no interface.
    const setUp = `ip link set lo up && ip route add local 192.0.2.0/24 dev lo && ip -6 route add local 2001:db8::/32 dev lo &&
      ip addr add 198.51.100.7/24 dev lo && echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind && exec "$@"`;
    const script = join(import.meta.dirname, '../../../fixtures/stream/from-elsewhere.ts');
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)('unshare', ['-n', 'sh', '-c', setUp, 'sh', process.execPath, script], { env });
    assert.match(stdout, /pass 5\n.*fail 0\n/s);
  });
});

describe('failed logins', () => {
  it('are counted by IPv4 address, and by the /64 of IPv6', () => {
    const failures = new FailedLogins(new FakeClock());
    const fail = (address: string): void => {
      for (let i = 0; i < 5; i++) failures.add(address);
    };
    fail('192.0.2.1');
    assert.deepEqual(
      ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2'].map((address) => failures.isRefused(address)),
      [true, true, false],
    );
    fail('2001:db8::1');
    assert.deepEqual(
      ['2001:db8:0:0:9::', '2001:db8::ffff:1:2:3', '2001:db8:0:1::1', '2001:db9::1'].map((address) =>
        failures.isRefused(address),
      ),
      [true, true, false, false],
    );
  });

  it('do not fill the memory', () => {
    const failures = new FailedLogins(new FakeClock());
    for (let i = 0; i < 5; i++) failures.add('192.0.2.1');
    for (let i = 0; i < 4095; i++) failures.add(`10.0.${i >> 8}.${i & 255}`);
    assert.ok(failures.isRefused('192.0.2.1'));
    failures.add('10.1.0.0');
    assert.ok(!failures.isRefused('192.0.2.1'), 'the oldest goes');
  });
});
