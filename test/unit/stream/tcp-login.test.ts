import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../../src/core/clock.ts';
import { FailedLogins } from '../../../src/stream/failed-logins.ts';
import type { TlsIdentity } from '../../../src/stream/secure-socket.ts';
import { createCertificates } from '../../helpers/certificates.ts';
import { clientsOf, exitOf, NO_PID, RawClient, type StreamWorld, startStream } from '../../helpers/event-world.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { freePort } from '../../helpers/free-port.ts';
import { missing } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

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
  it('lets in who knows the password, and nobody else hears anything', async (t) => {
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

  it('refuses an address that keeps failing, for a while', async (t) => {
    const clock = new FakeClock();
    const { server, port, log } = await startTcp(t, { clock });
    for (let i = 0; i < 5; i++) await logIn(t, port, `guess ${i}\n`);
    await waitFor('five failures', () => log.of('warning').length === 5);
    assert.match(log.of('warning')[4] ?? '', /login from 127\.0\.0\.1 failed; it is refused for 5 minutes/);
    const refused = await RawClient.open(t, port);
    await refused.gone();
    assert.equal(refused.text, 'Too many failed logins. Disconnecting.\n');
    await clock.advance(301_000);
    await logIn(t, port, 'open sesame\n');
    await clientsOf(server, 1);
    assert.equal(server.counters().failedLogins, 5);
  });

  it('is there for others while a refused address comes in a crowd', async (t) => {
    const clock = new FakeClock();
    const { server, port, log } = await startTcp(t, { clock });
    for (let i = 0; i < 5; i++) await logIn(t, port, `guess ${i}\n`);
    await waitFor('five failures', () => log.of('warning').length === 5);
    // Time stands still: nobody of them is hung up on for taking too long to leave.
    const crowd = await Promise.all(
      Array.from({ length: 600 }, async () => {
        const client = await RawClient.open(t, port).catch(() => undefined);
        client?.socket.pause();
        return client;
      }),
    );
    assert.ok(crowd.some((client) => client !== undefined));
    await logIn(t, port, 'open sesame\n', '127.0.0.2');
    await clientsOf(server, 1);
  });

  it('takes the end of what is sent as the end of the line, and goes on telling', async (t) => {
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

  it('does not take the right password of who came to be refused meanwhile', async (t) => {
    const clock = new FakeClock();
    const { server, port, log } = await startTcp(t, { clock });
    const early = await RawClient.open(t, port);
    await early.says('Password: ');
    for (let i = 0; i < 5; i++) await logIn(t, port, `guess ${i}\n`);
    await waitFor('five failures', () => log.of('warning').length === 5);
    early.socket.write('open sesame\n');
    await waitFor('a sixth', () => log.of('warning').length === 6);
    assert.equal(server.counters().clients, 0);
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

  it('tells only those who know the password that there is no room', async (t) => {
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
