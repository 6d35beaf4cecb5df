import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { parseDatabase } from '../../../src/stores/index.ts';
import { endpointName } from '../../../src/stores/mysql/endpoints.ts';
import { type MysqlOptions, parseMysql } from '../../../src/stores/mysql/options.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** What `read` makes of `[database]` with these lines, and every problem and warning as `key: text`. */
function parse<T>(
  lines: readonly string[],
  read: (section: ReturnType<ReturnType<typeof loadConfigText>['section']>) => T,
): { value: T; told: string[] } {
  const document = loadConfigText('c', ['[database]', ...lines].join('\n'));
  const value = read(document.section('database'));
  let told: string[];
  try {
    told = document.finish().map(({ key, problem }) => `${key}: ${problem}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    told = error.problems.map(({ key, problem }) => `${key}: ${problem}`);
  }
  return { value, told };
}

/** On a machine where `sockets` are there. */
const mysql = (
  lines: readonly string[],
  env: NodeJS.ProcessEnv = {},
  sockets: readonly string[] = ['/run/mysqld/mysqld.sock'],
): { value: MysqlOptions; told: string[] } =>
  parse(lines, (section) => parseMysql(section, env, (path) => sockets.includes(path)));
const hosts = (...lines: string[]): string[] => mysql(lines).value.endpoints.map(endpointName);
const SOCKETS = ['/var/run/mysqld/mysqld.sock', '/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock'].map(
  (path) => `unix:${path}`,
);

test('localhost is the known sockets, and never TCP', () => {
  assert.deepEqual(hosts(), SOCKETS);
  assert.deepEqual(hosts('host = localhost'), SOCKETS);
  assert.deepEqual(hosts('host = localhost, db2'), [...SOCKETS, 'db2:3306']);
  assert.deepEqual(hosts('host = localhost', 'socket = /srv/my.sock'), ['unix:/srv/my.sock']);
  assert.deepEqual(hosts('socket = /srv/my.sock'), ['unix:/srv/my.sock']);
});

test('a file that relied on TCP at localhost gets a warning if there is no socket', () => {
  const told = (lines: readonly string[], sockets: readonly string[]): string => mysql(lines, {}, sockets).told.join('|');
  const words =
    /^host: localhost means the server's Unix socket, but there is none in the usual places, \/var\/run\/mysqld\/mysqld\.sock, .* \(start the server, set socket to its path, or set host = 127\.0\.0\.1 for TCP\)$/;
  for (const lines of [[], ['host = localhost'], ['host = db1, localhost']]) {
    assert.match(told(lines, ['/tmp/mysql.sock']), words);
    assert.equal(told(lines, ['/var/lib/mysql/mysql.sock']), '');
  }
  for (const line of ['host = 127.0.0.1', 'port = 3306', 'host = localhost:3306']) assert.equal(told([line], []), '');
  assert.equal(
    told(['socket = /srv/my.sock'], []),
    'socket: there is no socket /srv/my.sock (start the server, set another path in socket, or set host = 127.0.0.1 for TCP)',
  );
  assert.equal(told(['socket = /srv/my.sock'], ['/srv/my.sock']), '');
});

test('a socket that is not a file’s path is a problem', () => {
  for (const socket of ['x.sock', '@mysql', `/${'x'.repeat(107)}`])
    assert.match(
      mysql([`socket = ${socket}`]).told.join(),
      /^socket: invalid value ".*", expected an absolute path of at most 107/,
    );
});

test('socket_owner is a user by name or number', () => {
  assert.equal(mysql(['socket_owner = root']).value.socketOwner, 0);
  assert.equal(mysql(['socket_owner = 4711']).value.socketOwner, 4711);
  assert.equal(mysql([]).value.socketOwner, undefined);
  for (const user of ['no-such-user-here', '-1', '4294967295', 'root root'])
    assert.match(
      mysql([`socket_owner = ${user}`]).told.join(),
      /^socket_owner: invalid value ".*", expected the name of a user in \/etc\/passwd, or a user's number/,
    );
  assert.match(
    mysql(['host = db1', 'socket_owner = root']).told.join(),
    /^socket_owner: has no effect: no host is reached by a/,
  );
});

test('server_public_key is a public key of RSA', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'key.pem');
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const told = (content: string, ...lines: readonly string[]): string => {
    writeFileSync(file, content);
    return mysql(['host = db1', `server_public_key = ${file}`, ...lines]).told.join();
  };
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  assert.equal(told(pem), '');
  assert.equal(mysql(['host = db1', `server_public_key = ${file}`]).value.serverPublicKey, pem);
  assert.match(told(pem, 'ssl = verify'), /^server_public_key: has no effect with ssl = verify/);
  assert.match(told(pem, 'ssl = required'), /^server_public_key: has no effect with ssl = required/);
  assert.match(told(pem, 'socket = /s', 'host = localhost'), /^server_public_key: has no effect: no host is reached by TCP/);
  const others = [
    '',
    'no key',
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  ];
  for (const content of others) {
    const line = told(content);
    assert.match(line, /^server_public_key: invalid value, expected a public RSA key in PEM/);
    assert.doesNotMatch(line, /PRIVATE/);
  }
});

test('localhost with a port is TCP', () => {
  assert.deepEqual(hosts('host = localhost:3307'), ['localhost:3307']);
  assert.deepEqual(hosts('host = localhost', 'port = 3307'), ['localhost:3307']);
});

test('hosts keep their order; each may have its own port', () => {
  assert.deepEqual(hosts('host = db1.example.com, 10.0.0.5:3310, [::1]:3311, [fe80::1], ::1, db_2', 'port = 3300'), [
    'db1.example.com:3300',
    '10.0.0.5:3310',
    '[::1]:3311',
    '[fe80::1]:3300',
    '[::1]:3300',
    'db_2:3300',
  ]);
});

for (const bad of [
  'db:0',
  'db:65536',
  'db:',
  ':3306',
  'db:x',
  '[::1',
  '::1]',
  '[db]',
  'a b',
  '-x',
  'tcp://db',
  '/run/my.sock',
  'db;x',
  '[::1]3306',
]) {
  test(`host ${bad} is a problem`, () => {
    const { told } = mysql([`host = "${bad}"`]);
    assert.equal(told.length, 1, told.join());
    assert.match(told[0]!, /^host: invalid value ".*", expected host, host:port or \[IPv6\]:port/);
  });
}

test('a socket beside other hosts only is a warning', () => {
  assert.match(mysql(['host = db1', 'socket = /x']).told.join(), /^socket: has no effect/);
});

test('defaults and units', () => {
  const { endpoints: _, ...rest } = mysql([]).value;
  assert.deepEqual(rest, {
    socketOwner: undefined,
    user: 'monitor_service',
    password: '',
    database: 'v_process_monitor',
    ssl: 'off',
    ca: undefined,
    serverPublicKey: undefined,
    compress: false,
    connectTimeoutMs: 5000,
    queryTimeoutMs: 10_000,
    readTimeoutMs: 10_000,
    failbackMs: 60_000,
    poolSize: 4,
  });
  const { value } = mysql(['connect_timeout = 0.5', 'query_timeout = 2', 'pool_size = 1', 'compress = yes', 'ssl = required']);
  assert.deepEqual(
    [value.connectTimeoutMs, value.queryTimeoutMs, value.poolSize, value.compress, value.ssl],
    [500, 2000, 1, true, 'required'],
  );
});

test('a poll may take as long as a query, and 10 s at most, unless the key is set', () => {
  const limits = (...lines: string[]): number[] => {
    const { value } = mysql(lines);
    return [value.readTimeoutMs, value.failbackMs];
  };
  assert.deepEqual(limits('query_timeout = 2'), [2000, 60_000]);
  assert.deepEqual(limits('query_timeout = 60', 'failback = 0'), [10_000, 0]);
  assert.deepEqual(limits('query_timeout = 2', 'read_timeout = 30', 'failback = 1.5'), [30_000, 1500]);
  assert.match(mysql(['failback = -1']).told.join(), /^failback: /);
});

test('a password file is read less its line end; a credential is found in its folder', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'secret');
  writeFileSync(file, ' pa ss\r\n', { mode: 0o600 });
  assert.deepEqual(mysql([`password_file = ${file}`]).told, []);
  assert.equal(mysql([`password_file = ${file}`]).value.password, ' pa ss');
  assert.equal(
    mysql(['password_file = $CREDENTIALS_DIRECTORY/secret'], { CREDENTIALS_DIRECTORY: dir }).value.password,
    ' pa ss',
  );
  assert.equal(
    mysql([`password_file = \${CREDENTIALS_DIRECTORY}/secret`], { CREDENTIALS_DIRECTORY: dir }).value.password,
    ' pa ss',
  );
  assert.match(mysql(['password_file = $CREDENTIALS_DIRECTORY/secret']).told.join(), /CREDENTIALS_DIRECTORY is not set/);
  chmodSync(file, 0o644);
  assert.match(mysql([`password_file = ${file}`]).told.join(), /^password_file: the file can be read by everybody/);
});

test('a file that cannot be read is a problem, and no secret is shown', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'folder'));
  for (const file of [join(dir, 'none'), join(dir, 'folder'), 'relative', '/dev/null', '/dev/zero']) {
    const { told } = mysql([`password_file = ${file}`]);
    assert.equal(told.length, 1, file);
    assert.match(told[0]!, /^password_file: (cannot read|invalid value) /);
  }
  const { told } = mysql(['password = s3cret', 'password_file = /none', 'ssl = verify', 'ssl_ca = /none']);
  assert.deepEqual(told.map((line) => line.split(':')[0]).sort(), ['password', 'password_file', 'ssl_ca']);
  assert.doesNotMatch(told.join(), /s3cret/);
});

test('the keys of the driver that is not in use are known, and a warning says that they have no effect', () => {
  const { value, told } = parse(
    ['driver = sqlite', 'path = /x/alarms.db', 'query_timeout = 3', 'host = "a b"', 'pool_size = -1', 'password_file = /none'],
    parseDatabase,
  );
  assert.equal(value.driver, 'sqlite');
  assert.equal(value.description, 'sqlite /x/alarms.db');
  assert.deepEqual(
    told.sort(),
    ['host', 'password_file', 'pool_size'].map((key) => `${key}: has no effect: it belongs to another driver`),
  );
  assert.match(parse(['host = db1', 'path = x'], parseDatabase).told.join(), /^path: has no effect/);
});

test('under a driver that is misspelt every key that stands is judged, once, and none is missed', () => {
  const { told } = parse(['driver = sqlit', 'port = 99999', 'ssl = yes', 'path = x', 'query_timeout = -1'], parseDatabase);
  assert.deepEqual(
    told.map((line) => line.replace(/(expected|did).*/, '…')),
    [
      'driver: invalid value "sqlit", …',
      'port: invalid value "99999", …',
      'ssl: invalid value "yes", …',
      'path: invalid value "x", …',
      'query_timeout: invalid value "-1", …',
    ],
  );
  for (const lines of [['path = /x/a.db'], ['host = db1', 'password = x'], []])
    assert.match(parse(['driver = sqlit', ...lines], parseDatabase).told.join('|'), /^driver: [^|]*$/);
});

test('sqlite needs an absolute path', () => {
  for (const lines of [[], ['path ='], ['path = alarms.db'], ['path = :memory:']]) {
    assert.match(
      parse(['driver = sqlite', ...lines], parseDatabase).told.join(),
      /^path: invalid value ".*", expected the absolute path/,
    );
  }
});

test('the fingerprint shows a change and no secret', () => {
  const of = (...lines: string[]): string => parse(lines, parseDatabase).value.fingerprint;
  assert.equal(of('password = a', 'host = b'), of('host = b', 'password = a'));
  const different = [
    of(),
    of('password = a'),
    of('password = b'),
    of('host = b'),
    of('driver = sqlite', 'path = /x'),
    of('pool_size = 5'),
  ];
  assert.equal(new Set(different).size, different.length);
  assert.doesNotMatch(of('password = s3cret'), /s3cret/);
});

test('a description never holds the password', () => {
  const { value } = parse(['host = db1, db2:3307', 'user = u', 'password = s3cret'], parseDatabase);
  assert.equal(value.description, 'mysql db1:3306, db2:3307/v_process_monitor');
});
