import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { missing } from '../helpers/requirement.ts';
import { type Rogue, type RoguePeer, rogueCertificate, rogueKeys, type Script, startRogue } from '../helpers/rogue-mysql.ts';
import { CLIENT, moreDataPacket, okPacket, switchPacket } from '../helpers/rogue-packets.ts';
import { PASSWORD, pollOnce } from '../helpers/store-call.ts';

const KEY = Buffer.from(rogueKeys().publicKey);
const NONCE = Buffer.from('0123456789abcdefghij');

/** What a server may try once it has heard the user's name. */
const ATTACKS: Readonly<Record<string, (peer: RoguePeer) => Promise<unknown>>> = {
  'by caching_sha2_password, the whole password, with a key of its own': async (peer) => {
    peer.switchTo('caching_sha2_password');
    await peer.read();
    peer.more(Buffer.of(4));
    peer.more(KEY);
    await peer.read();
  },
  'by caching_sha2_password, its key for an answer': async (peer) => {
    peer.switchTo('caching_sha2_password');
    await peer.read();
    peer.more(KEY);
    await peer.read();
  },
  'by caching_sha2_password, with a challenge of zeros': async (peer) => {
    peer.switchTo('caching_sha2_password', Buffer.alloc(20));
    await peer.read();
    peer.more(Buffer.of(4));
    await peer.read();
  },
  'by caching_sha2_password, with an empty challenge': async (peer) => {
    peer.switchTo('caching_sha2_password', Buffer.alloc(0));
    await peer.read();
    peer.more(Buffer.of(4));
    await peer.read();
  },
  'by sha256_password, with a key of its own': async (peer) => {
    peer.switchTo('sha256_password');
    peer.more(KEY);
    await peer.read();
    await peer.read();
  },
  'by sha256_password, twice': async (peer) => {
    peer.switchTo('sha256_password');
    peer.switchTo('sha256_password');
    peer.more(KEY);
    await peer.read();
  },
  'in the clear': async (peer) => {
    peer.switchTo('mysql_clear_password');
    await peer.read();
  },
  'by PAM': async (peer) => {
    peer.send(switchPacket('dialog', Buffer.from('\u0004Password: ')));
    await peer.read();
  },
  'by ed25519': async (peer) => {
    peer.switchTo('client_ed25519');
    await peer.read();
  },
  'as before MySQL 4.1': async (peer) => {
    peer.send(Buffer.of(0xfe));
    await peer.read();
  },
  'by the old hash, by its name': async (peer) => {
    peer.switchTo('mysql_old_password', Buffer.from('12345678'));
    await peer.read();
  },
  'by a plugin that is a property of every object': async (peer) => {
    peer.switchTo('toString');
    await peer.read();
  },
  'by a plugin that is called __proto__': async (peer) => {
    peer.switchTo('__proto__');
    await peer.read();
  },
  'by a plugin whose name has no end': async (peer) => {
    peer.switchTo('x'.repeat(60_000));
    await peer.read();
  },
  'as a second factor': async (peer) => {
    peer.send(Buffer.concat([Buffer.of(2), switchPacket('mysql_clear_password', NONCE).subarray(1)]));
    await peer.read();
  },
  'for more of a login that has not begun': async (peer) => {
    peer.send(moreDataPacket(Buffer.of(4)));
    peer.more(KEY);
    await peer.read();
  },
  'by mysql_native_password again and again': async (peer) => {
    for (;;) {
      peer.switchTo('mysql_native_password');
      await peer.read();
    }
  },
};

const GREETINGS = ['caching_sha2_password', 'sha256_password', 'mysql_clear_password', 'mysql_native_password', 'dialog', ''];

const attackBy =
  (plugin: string, attack: (peer: RoguePeer) => Promise<unknown>): Script =>
  async (peer) => {
    peer.greet({ plugin });
    await peer.read();
    await attack(peer);
  };

for (const [name, attack] of Object.entries(ATTACKS)) {
  test(`over TCP without TLS a server that asks ${name} does not get the password`, async (t) => {
    for (const plugin of GREETINGS) {
      const rogue = await startRogue(t, attackBy(plugin, attack));
      const { error } = await pollOnce(rogue.endpoint);
      assert.ok(error, plugin);
      assert.equal(rogue.peers.length, 1);
      assert.match(rogue.heard().toString('latin1'), /m\0/, 'it got so far');
      rogue.assertIgnorant(PASSWORD);
      await rogue.close();
    }
  });
}

test('a server is refused in our own words, whatever it asks for', async (t) => {
  const said = async (attack: string): Promise<string> => {
    const rogue = await startRogue(t, attackBy('mysql_native_password', ATTACKS[attack]!));
    const { error } = await pollOnce(rogue.endpoint);
    return `${error?.fault}: ${error?.message}`.replace(/mysql 127\.0\.0\.1:\d+: /, '');
  };
  assert.match(
    await said('by caching_sha2_password, the whole password, with a key of its own'),
    /^denied: the account "m" logs in by caching_sha2_password.*over TCP without verified TLS it is not sent \(expected ssl = verify with ssl_ca, server_public_key, /,
  );
  assert.match(
    await said('by sha256_password, with a key of its own'),
    /^denied: the account "m" logs in by sha256_password.*it is not sent \(expected ssl = verify/,
  );
  assert.match(
    await said('in the clear'),
    /^denied: it wants the account "m" to log in by "mysql_clear_password" \(the password in the clear: PAM, LDAP\), which monitor_service does not support: nothing was sent/,
  );
  assert.match(await said('by PAM'), /"dialog" \(PAM\), which monitor_service does not support/);
  assert.match(await said('by ed25519'), /"client_ed25519" \(ed25519\), which monitor_service does not support/);
  assert.match(await said('as before MySQL 4.1'), /the hash of MySQL before 4\.1/);
  assert.match(await said('by the old hash, by its name'), /the hash of MySQL before 4\.1/);
  assert.match(await said('by a plugin that is called __proto__'), /by "__proto__", which monitor_service does not support/);
  assert.match(await said('by caching_sha2_password, with an empty challenge'), /its challenge has 1 bytes \(expected 20\)/);
  assert.match(await said('by mysql_native_password again and again'), /^failed: its login has too many packets/);
  assert.match(await said('for more of a login that has not begun'), /^denied: it continued a login that had not begun/);
});

/** Pretends to be a server with TLS; what is done before and after TLS begins is the script's. */
function tlsRogue(t: TestContext, before: Script, after: Script): Promise<Rogue> {
  return startRogue(t, async (peer) => {
    await before(peer);
    await peer.startTls(rogueCertificate());
    await peer.read();
    await after(peer);
  });
}

const greetTls: Script = (peer) => peer.greet({ capabilities: CLIENT.SSL });

for (const [name, attack] of Object.entries(ATTACKS)) {
  test(`over TLS that is not verified, too: ${name}`, { skip: missing('openssl') }, async (t) => {
    for (const plugin of GREETINGS) {
      const greet: Script = (peer) => peer.greet({ plugin, capabilities: CLIENT.SSL });
      const rogue = await tlsRogue(t, greet, async (peer) => void (await attack(peer)));
      const { error } = await pollOnce(rogue.endpoint, { ssl: 'required', serverPublicKey: rogueKeys().publicKey });
      assert.ok(error);
      assert.match(rogue.heard().toString('latin1'), /m\0/, 'it got so far');
      rogue.assertIgnorant(PASSWORD);
      await rogue.close();
    }
  });
}

test('with ssl = verify a server of another authority receives nothing at all', { skip: missing('openssl') }, async (t) => {
  const rogue = await tlsRogue(t, greetTls, () => {});
  const { error } = await pollOnce(rogue.endpoint, { ssl: 'verify' });
  assert.match(error?.message ?? '', /certificate/);
  assert.equal(rogue.peers[0]?.packets.length, 1, 'but that TLS is wanted');
  rogue.assertIgnorant(PASSWORD);
});

for (const ssl of ['required', 'verify'] as const) {
  test(`with ssl = ${ssl} a server that has no TLS receives nothing`, async (t) => {
    const rogue = await startRogue(t, async (peer) => {
      peer.greet({ plugin: 'mysql_clear_password' });
      await peer.read();
    });
    const { error } = await pollOnce(rogue.endpoint, { ssl });
    assert.match(error?.message ?? '', /does not support TLS, nothing was sent/);
    assert.equal(rogue.heard().length, 0);
  });

  for (const [name, words] of Object.entries({
    'a switch to a plugin': (peer: RoguePeer) => [
      switchPacket('mysql_clear_password', NONCE),
      moreDataPacket(Buffer.of(4)),
      peer,
    ],
    'a whole login': (peer: RoguePeer) => [switchPacket('caching_sha2_password', NONCE), moreDataPacket(Buffer.of(4)), peer],
    'an end of the login': (peer: RoguePeer) => [okPacket(), peer],
  }))
    test(`with ssl = ${ssl} nothing counts that arrives before TLS: ${name}`, { skip: missing('openssl') }, async (t) => {
      const rogue = await tlsRogue(
        t,
        (peer) => {
          const greeting = peer.framed(peer.greeting({ capabilities: CLIENT.SSL }));
          const early = words(peer).flatMap((packet, i) => (Buffer.isBuffer(packet) ? [peer.framed(packet, i + 2)] : []));
          peer.write(Buffer.concat([greeting, ...early]));
        },
        () => {},
      );
      const { error } = await pollOnce(rogue.endpoint, { ssl });
      assert.match(error?.message ?? '', /it sent more than its greeting before TLS began/);
      assert.equal(rogue.heard().length, 0);
    });
}
