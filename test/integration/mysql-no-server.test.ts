import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RoguePeer, type Script, startRogue } from '../helpers/rogue-mysql.ts';
import { CLIENT, errorPacket, greetingPacket, okPacket } from '../helpers/rogue-packets.ts';
import { pollOnce } from '../helpers/store-call.ts';

const NONCE = Buffer.from('0123456789abcdefghij');
const say =
  (text: string | Buffer): Script =>
  (peer) =>
    void peer.write(Buffer.from(text));

/** What stands where a MySQL server was expected, and what is said of it. */
const PLACES: readonly (readonly [string, Script, RegExp])[] = [
  [
    'an SSH server',
    say('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n'),
    /this is not a MySQL server: it sent "SSH-2\.0-OpenSSH_9\.2p1 Debian-2\+deb12u3"$/,
  ],
  [
    'an SMTP server',
    say('220 mail.example.test ESMTP Postfix\r\n'),
    /this is not a MySQL server: it sent "220 mail\.example\.test ESMTP Postfix"$/,
  ],
  [
    'an HTTP server that has had enough',
    say('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'),
    /this is not a MySQL server: it sent "HTTP\/1\.1 408 Request Timeout/,
  ],
  ['a Redis that refuses', say('-ERR max number of clients reached\r\n'), /it sent "-ERR max number of clients reached"/],
  ['a few zeros', say(Buffer.alloc(5)), /it speaks version 0 of MySQL's protocol \(expected 10\)/],
  [
    'garbage',
    say(Buffer.from([0x9f, 0x11, 0x1b, 0x5b, 0x32, 0x4a, 0x00, 0xff])),
    /this is not a MySQL server: it sent "\S+\?\[2J/,
  ],
  [
    'a byte at a time',
    async (peer: RoguePeer) => {
      for (const byte of Buffer.from('NOTMYSQL')) {
        peer.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    /this is not a MySQL server: it sent "NOTMY/,
  ],
  [
    'a server of protocol 9',
    (peer) => void peer.send(greetingPacket({ protocol: 9, nonce: NONCE, version: '3.20.1' })),
    /it speaks version 9 of MySQL's protocol \(expected 10\)/,
  ],
  [
    'a server of protocol 11',
    (peer) => void peer.send(greetingPacket({ protocol: 11, nonce: NONCE })),
    /this is not a MySQL server|X protocol/,
  ],
  [
    "the port of MySQL's X protocol",
    say(Buffer.from([5, 0, 0, 0, 0x0b, 8, 5, 0x1a, 0])),
    /it speaks MySQL's X protocol \(expected the port of the classic one, usually 3306\)/,
  ],
  [
    'a place that hangs up at once',
    (peer) => peer.destroy(),
    /the connection was closed before a greeting arrived \(expected a MySQL server\)/,
  ],
  [
    'a place that is reset',
    (peer) => peer.reset(),
    /the connection was closed before a greeting arrived \(expected a MySQL server\)/,
  ],
  [
    'a greeting that ends too early',
    (peer) => void peer.send(Buffer.from([10, 0x38, 0])),
    /its answer violates MySQL's protocol/,
  ],
  [
    'a greeting without an end of its version',
    (peer) => void peer.send(Buffer.concat([Buffer.of(10), Buffer.alloc(200, 0x38)])),
    /its answer violates MySQL's protocol|not a MySQL server/,
  ],
  [
    'a greeting that is too long',
    (peer) => void peer.send(Buffer.concat([Buffer.of(10), Buffer.alloc(100_000, 0x38)])),
    /this is not a MySQL server/,
  ],
  [
    'a login that is answered by nonsense',
    async (peer) => {
      peer.greet();
      await peer.read();
      peer.send(Buffer.of(0x42, 1, 2, 3));
    },
    /its answer to the login violates MySQL's protocol/,
  ],
  [
    'a server with too many connections',
    (peer) => void peer.send(errorPacket(1040, '08004', 'Too many connections')),
    /busy: .*Too many connections$/,
  ],
  [
    'a server that does not know this host',
    (peer) => void peer.send(errorPacket(1130, 'HY000', "Host '10.0.0.7' is not allowed to connect to this MySQL server")),
    /denied: .*: database login refused: .*Host '10\.0\.0\.7' is not allowed/,
  ],
  [
    'a server that has shut this host out',
    (peer) =>
      void peer.send(
        errorPacket(
          1129,
          'HY000',
          "Host '10.0.0.7' is blocked because of many connection errors; unblock with 'mysqladmin flush-hosts'",
        ),
      ),
    /denied: .*: database login refused: .*is blocked because of many connection errors/,
  ],
  [
    'a server that has TLS only',
    async (peer) => {
      peer.greet({ capabilities: CLIENT.SSL });
      await peer.read();
      peer.send(
        errorPacket(3159, 'HY000', 'Connections using insecure transport are prohibited while --require_secure_transport=ON.'),
      );
    },
    /denied: .*: database login refused: .*insecure transport are prohibited.* \(expected ssl = verify\)$/,
  ],
  [
    'a server with TLS that does not let the account in',
    async (peer) => {
      peer.greet({ capabilities: CLIENT.SSL });
      await peer.read();
      peer.send(errorPacket(1045, '28000', "Access denied for user 'm'@'h' (using password: YES)"));
    },
    /denied: .*: database login refused: .*\(using password: YES\) \(check user and password; if the account requires TLS, set ssl = verify\)$/,
  ],
  [
    'a server without TLS that does not let the account in',
    async (peer) => {
      peer.greet();
      await peer.read();
      peer.send(errorPacket(1045, '28000', "Access denied for user 'm'@'h' (using password: YES)"));
    },
    /denied: .*: database login refused: .*\(using password: YES\) \(check user and password\)$/,
  ],
];

for (const [name, script, words] of PLACES)
  test(`${name} is reported as what it is, at once`, async (t) => {
    const rogue = await startRogue(t, script);
    const started = performance.now();
    const { error } = await pollOnce(rogue.endpoint);
    assert.ok(performance.now() - started < 5000, 'not by a deadline');
    assert.match(`${error?.fault}: ${error?.message}`, words);
    assert.match(error?.message ?? '', /^mysql 127\.0\.0\.1:\d+(?:: database login refused)?: /);
  });

for (const [name, script, words] of [
  ['says nothing', () => {}, /: no greeting from a MySQL server within 0\.5 s$/],
  ['begins a greeting', (peer) => void peer.write(Buffer.of(80, 0, 0, 0, 10, 56)), /: login not completed within 0\.5 s$/],
  ['does not answer the login', (peer) => peer.greet(), /: login not completed within 0\.5 s$/],
  [
    'lets one in and answers no statement',
    async (peer) => {
      peer.greet();
      await peer.read();
      peer.send(okPacket());
    },
    /: no answer to the first statement within 0\.5 s$/,
  ],
] as readonly (readonly [string, Script, RegExp])[])
  test(`a place that ${name} is reported as that after connect_timeout`, async (t) => {
    const rogue = await startRogue(t, script);
    const { error } = await pollOnce(rogue.endpoint, { connectTimeoutMs: 500 });
    assert.equal(error?.fault, 'unreachable');
    assert.match(error?.message ?? '', words);
  });

test('what mysql2 has to say of a server goes to the log, once, and not to the terminal', async (t) => {
  const rogue = await startRogue(t, async (peer) => {
    peer.greet();
    await peer.read();
    peer.send(okPacket(), 9);
    for (;;) {
      await peer.read();
      peer.send(Buffer.of(0xff), 77);
    }
  });
  const { error, warnings } = await pollOnce(rogue.endpoint);
  assert.ok(error);
  assert.match(warnings.join('|'), /^mysql 127\.0\.0\.1:\d+: Warning: got packets out of order\. Expected 2 but received 9/);
  assert.ok(warnings.length <= 3, warnings.join('|'));
});
