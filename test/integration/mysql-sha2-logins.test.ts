import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createCore } from '../../src/app/app.ts';
import { cliBackends } from '../../src/app/cli-backends.ts';
import { readSettings } from '../../src/app/settings.ts';
import type { MysqlOptions } from '../../src/stores/mysql/options.ts';
import { loginByCachingSha2, loginBySha256, type Sha2Login, serveStatements } from '../helpers/fake-mysql.ts';
import { findProgram } from '../helpers/mariadb-programs.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';
import { missing } from '../helpers/requirement.ts';
import { type Rogue, type RoguePeer, rogueCertificate, rogueKeys, startRogue } from '../helpers/rogue-mysql.ts';
import { CLIENT } from '../helpers/rogue-packets.ts';
import { PASSWORD, pollOnce } from '../helpers/store-call.ts';
import { tempDir } from '../helpers/temp-dir.ts';

/** A server as MySQL 8 and 9 are to an account by SHA-256, and the ways in which its logins went. */
interface FakeServer extends Rogue {
  readonly ways: readonly Sha2Login[];
}

interface Fake {
  /** It remembers the password. */
  readonly cached?: boolean;
  readonly plugin?: 'caching_sha2_password' | 'sha256_password';
  readonly tls?: boolean;
  /** At a socket of that folder instead of a port. */
  readonly dir?: string;
  readonly password?: string;
}

async function startFake(t: TestContext, fake: Fake = {}): Promise<FakeServer> {
  const { cached = false, plugin = 'caching_sha2_password', tls = false, dir, password = PASSWORD } = fake;
  const ways: Sha2Login[] = [];
  const script = async (peer: RoguePeer): Promise<void> => {
    peer.greet({ capabilities: tls ? CLIENT.SSL : 0 });
    if (tls) await peer.startTls(rogueCertificate());
    await peer.read();
    ways.push(
      plugin === 'caching_sha2_password'
        ? await loginByCachingSha2(peer, password, { cached, secure: tls || dir !== undefined })
        : await loginBySha256(peer, password, { encrypted: tls }),
    );
    await serveStatements(peer);
  };
  const rogue = await startRogue(t, script, dir === undefined ? {} : { path: join(dir, 'server.sock') });
  return Object.assign(rogue, { ways });
}

const { publicKey } = rogueKeys();
const verified = (): Partial<MysqlOptions> => ({ ssl: 'verify', ca: rogueCertificate().ca });

test('over TCP without TLS caching_sha2_password works while the server remembers the password, and is warned of', async (t) => {
  const server = await startFake(t, { cached: true });
  const { report, warnings } = await pollOnce(server.endpoint);
  assert.deepEqual([...new Set(server.ways)], ['fast']);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0]!,
    /^mysql 127\.0\.0\.1:\d+: the account "m" logs in by caching_sha2_password over TCP without verified TLS: this works only while the server remembers the password.*\(expected ssl = verify with ssl_ca, server_public_key, the server's Unix socket, or an account by mysql_native_password\)$/,
  );
  assert.deepEqual(
    report?.remarks.filter((remark) => remark.includes('caching_sha2')),
    warnings,
  );
  server.assertIgnorant(PASSWORD);
});

test('if the server does not remember it, the login fails, and the message names the cures', async (t) => {
  const server = await startFake(t);
  const { error } = await pollOnce(server.endpoint);
  assert.equal(error?.fault, 'denied');
  assert.match(
    error?.message ?? '',
    /caching_sha2_password, for which the server wants the password now; over TCP without verified TLS it is not sent \(expected ssl = verify with ssl_ca, server_public_key, /,
  );
  server.assertIgnorant(PASSWORD);
});

test('sealed for server_public_key it is sent, nothing is asked for, and there is nothing to warn of', async (t) => {
  for (const cached of [false, true]) {
    const server = await startFake(t, { cached });
    const { error, warnings } = await pollOnce(server.endpoint, { serverPublicKey: publicKey });
    assert.equal(error, undefined);
    assert.deepEqual([...new Set(server.ways)], [cached ? 'fast' : 'sealed']);
    assert.deepEqual(warnings, []);
  }
});

test('a server with another key than server_public_key can do nothing with it', async (t) => {
  const { generateKeyPairSync } = await import('node:crypto');
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
  const server = await startFake(t);
  const { error } = await pollOnce(server.endpoint, { serverPublicKey: other });
  assert.ok(error);
  server.assertIgnorant(PASSWORD);
});

test('over verified TLS the password is sent as it is', { skip: missing('openssl') }, async (t) => {
  for (const cached of [false, true]) {
    const server = await startFake(t, { cached, tls: true });
    const { error, warnings } = await pollOnce(server.endpoint, verified());
    assert.equal(error, undefined);
    assert.deepEqual([...new Set(server.ways)], [cached ? 'fast' : 'cleartext']);
    assert.deepEqual(warnings, []);
  }
});

test('over TLS that is not verified it is not sent, and no key helps', { skip: missing('openssl') }, async (t) => {
  const cold = await startFake(t, { tls: true });
  const options = { ssl: 'required', serverPublicKey: publicKey } as const;
  const { error } = await pollOnce(cold.endpoint, options);
  assert.match(
    error?.message ?? '',
    /over TLS without a verified certificate it is not sent \(expected ssl = verify with ssl_ca, the server's/,
  );
  cold.assertIgnorant(PASSWORD);
  const warm = await startFake(t, { tls: true, cached: true });
  const { report, warnings } = await pollOnce(warm.endpoint, options);
  assert.ok(report);
  assert.match(warnings.join('|'), /^[^|]*over TLS without a verified certificate: this works only while the server remembers/);
});

test('to the proved server behind a Unix socket it is sent as it is', async (t) => {
  const server = await startFake(t, { dir: tempDir(t) });
  const { error, warnings } = await pollOnce(server.endpoint);
  assert.equal(error, undefined);
  assert.deepEqual([...new Set(server.ways)], ['cleartext']);
  assert.deepEqual(warnings, []);
});

test('an account without a password logs in anywhere, and is not warned of', async (t) => {
  const server = await startFake(t, { cached: true, password: '' });
  const { error, warnings } = await pollOnce(server.endpoint, { password: '' });
  assert.equal(error, undefined);
  assert.deepEqual(warnings, []);
});

test('the warning comes once, not with each connection', async (t) => {
  const server = await startFake(t, { cached: true });
  const { warnings } = await pollOnce(server.endpoint, {}, async (store) => {
    await Promise.all([store.readAlarms(), store.readAlarms(), store.readAlarms()]);
  });
  assert.ok(server.peers.length > 1);
  assert.equal(warnings.length, 1);
});

test('the daemon’s log has it at the first connection, and check-config --database each time', async (t) => {
  const server = await startFake(t, { cached: true });
  const dir = tempDir(t);
  const file = join(dir, 'config.ini');
  const database = ['[database]', `host = 127.0.0.1:${server.port}`, 'user = m', `password = ${PASSWORD}`];
  const rest = [
    '[monitor]',
    `state_dir = ${join(dir, 'state')}`,
    '[logging]',
    'file =',
    '[control]',
    `socket = ${join(dir, 'c')}`,
  ];
  writeFileSync(file, [...database, ...rest, ''].join('\n'), { mode: 0o600 });
  const words = /logs in by caching_sha2_password over TCP without verified TLS: this works only while/;
  for (let i = 0; i < 2; i++) {
    const { database: report } = await cliBackends.checkConfig(file, { database: true });
    assert.ok(report?.kind === 'ok', JSON.stringify(report));
    assert.equal(report.report.remarks.filter((remark) => words.test(remark)).length, 1);
  }
  const log = Object.assign(new RecordedLog(), { reconfigure: () => {} });
  const core = await createCore({ settings: readSettings(file), log });
  t.after(() => core.stops.stop(5000));
  for (let i = 0; i < 3; i++) await Promise.all([core.store().readAlarms(), core.store().readAlarms()]);
  const warned = log.of('warning').filter((line) => words.test(line));
  assert.equal(warned.length, 1);
  assert.match(warned[0]!, /^Database: mysql 127\.0\.0\.1:\d+: the account "m" /);
});

test('sha256_password: encrypted for a configured key, over verified TLS, or for the key of a proved peer, and not otherwise', {
  skip: missing('openssl'),
}, async (t) => {
  const way = async (fake: Fake, options: Partial<MysqlOptions> = {}): Promise<string> => {
    const server = await startFake(t, { ...fake, plugin: 'sha256_password' });
    const { error } = await pollOnce(server.endpoint, options);
    if (error !== undefined) server.assertIgnorant(PASSWORD);
    return error === undefined ? [...new Set(server.ways)].join() : error.message;
  };
  assert.equal(await way({}, { serverPublicKey: publicKey }), 'sealed');
  assert.equal(await way({ tls: true }, verified()), 'cleartext');
  assert.equal(await way({ dir: tempDir(t) }), 'key asked for');
  assert.match(
    await way({}),
    /sha256_password, for which the password is sent; over TCP without verified TLS it is not sent \(expected/,
  );
  assert.match(await way({ tls: true }, { ssl: 'required' }), /over TLS without a verified certificate it is not/);
  assert.equal(await way({ password: '' }, { password: '' }), 'sealed');
});

/** Where the client library of MariaDB has its plugins. */
const clientPlugin = globSync([
  '/usr/lib/*/libmariadb3/plugin/caching_sha2_password.so',
  '/usr/lib64/mariadb/plugin/caching_sha2_password.so',
]).some((file) => existsSync(file));

test('the server of these tests is one to MariaDB’s own client, too', {
  skip: !clientPlugin && 'no client plugin',
}, async (t) => {
  const program = findProgram('mariadb') ?? 'mariadb';
  for (const cached of [true, false]) {
    const server = await startFake(t, { cached });
    const args = ['--no-defaults', '--skip-ssl', '--host=127.0.0.1', `--port=${server.port}`, '--user=m', '--execute=SELECT 1'];
    const client = spawn(program, args, { stdio: 'ignore', timeout: 30_000, env: { ...process.env, MYSQL_PWD: PASSWORD } });
    await once(client, 'exit');
    assert.deepEqual([...new Set(server.ways)], [cached ? 'fast' : 'key asked for']);
  }
});
