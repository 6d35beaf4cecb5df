import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../../../../../src/core/errors.ts';
import { isRefusal, storeError } from '../../../../../src/stores/mysql/faults/store-error.ts';

const said = (errno: number, sqlState = 'HY000'): Error => Object.assign(new Error('it said so'), { errno, sqlState });
const network = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code, errno: -111, syscall: 'connect' });

for (const [fault, errors] of Object.entries({
  read_only: [said(1290), said(1836), said(1792), said(1036), said(9999, '25006')],
  denied: [said(1142), said(1143), said(1044), said(1045), said(1227), said(1370), said(9999, '28000')],
  schema: [said(1146), said(1054), said(1049)],
  busy: [said(1205), said(1213), said(1040), said(1203)],
  not_causal: [said(1047, '08S01'), said(3796), said(3797), said(3798), said(3799)],
  unreachable: [
    said(1180),
    said(3100),
    said(1053),
    said(1927),
    said(9999, '08S01'),
    network('ECONNREFUSED'),
    network('ENOENT'),
    new Error('Pool is closed.'),
  ],
  failed: [said(1064), Object.assign(new Error('no TLS'), { code: 'HANDSHAKE_SSL_ERROR' }), new TypeError('a bug')],
})) {
  test(`${fault}: ${errors.length} kinds`, () => {
    for (const error of errors) assert.equal(storeError('db:3306', error).fault, fault, JSON.stringify(error));
  });
}

test('a connection outlives a refusal, not a fault of the network or a server that goes', () => {
  assert.equal(isRefusal(said(1146)), true);
  assert.equal(isRefusal(said(1205)), true);
  for (const number of [1053, 1047, 1180, 3100, 3797]) assert.equal(isRefusal(said(number)), false, String(number));
  assert.equal(isRefusal(network('ECONNRESET')), false);
  assert.equal(isRefusal(new StoreError('timeout', 'late')), false);
});

test('what a server says becomes one printable line', () => {
  const error = storeError('db:3306', Object.assign(new Error('Unknown\n\u001b[2Jcolumn'), { errno: 1054, sqlState: '42S22' }));
  assert.equal(error.message, 'mysql db:3306: Unknown ?[2Jcolumn');
});

test('what the driver could not read is reported as the server’s fault; a mistake of ours is not', () => {
  const fatal = (error: Error, code?: string): Error => Object.assign(error, { fatal: true, ...(code && { code }) });
  for (const error of [fatal(new TypeError('x')), fatal(new RangeError('x')), fatal(new Error('x'), 'PROTOCOL_ERROR')]) {
    const told = storeError('db:3306', error);
    assert.equal(told.fault, 'unreachable');
    assert.equal(told.message, "mysql db:3306: its answer violates MySQL's protocol (x)");
  }
  assert.equal(storeError('db:3306', new TypeError('x')).message, 'mysql db:3306: x');
});

test('words depend on how far the connection has come, and on whether TLS was offered', () => {
  const greeting = { stage: 'greeting', tlsUnused: false } as const;
  const lost = Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true });
  assert.match(storeError('db', lost, greeting).message, /^mysql db: the connection was closed before a greeting arrived/);
  assert.equal(storeError('db', lost).message, 'mysql db: the server closed the connection');
  assert.equal(
    storeError('db', said(1045), { stage: 'login', tlsUnused: false }).message,
    'mysql db: database login refused: it said so (check user and password)',
  );
  assert.equal(storeError('db', said(1142)).message, 'mysql db: it said so', 'a privilege');
  assert.match(storeError('db', said(1045), { stage: 'login', tlsUnused: true }).message, /requires TLS, set ssl = verify\)$/);
  assert.match(storeError('db', said(3159)).message, /\(expected ssl = verify\)$/);
});

test('a connection that could not be made is reported in words', () => {
  const refused = (of: object): string => {
    const error = Object.assign(new Error('connect X'), { code: 'ECONNREFUSED', syscall: 'connect', errno: -111, ...of });
    return storeError('db', error).message;
  };
  assert.equal(refused({ address: '127.0.0.1', port: 3306 }), 'mysql db: nobody listens on 127.0.0.1 port 3306');
  assert.equal(refused({ address: '/a.sock' }), 'mysql db: nobody listens on the socket /a.sock (start the server)');
  assert.equal(
    refused({ address: '/a.sock', code: 'ENOENT' }),
    'mysql db: there is no socket /a.sock (start the server, set another path in socket, or set host = 127.0.0.1 for TCP)',
  );
  assert.equal(refused({ address: '10.0.0.5', port: 3306, code: 'EHOSTUNREACH' }), 'mysql db: connect X');
  const each = ['127.0.0.1', '::1'].map((address) =>
    Object.assign(new Error('x'), { code: 'ECONNREFUSED', syscall: 'connect', address, port: 3306 }),
  );
  assert.equal(
    storeError('db', Object.assign(new AggregateError(each), { code: 'ECONNREFUSED' })).message,
    'mysql db: nobody listens on 127.0.0.1 port 3306; nobody listens on ::1 port 3306',
  );
});

test('if a privilege is missing the GRANT is shown as it is typed, and no correct login is called refused', () => {
  const told = (errno: number, text: string, database = 'v'): string =>
    storeError('db', Object.assign(new Error(text), { errno, sqlState: '42000' }), LOGIN, database).message;
  assert.equal(
    told(1044, "Access denied for user 'u'@'localhost' to database 'no-such'", 'no-such'),
    "mysql db: Access denied for user 'u'@'localhost' to database 'no-such' (expected the name of a database that exists, and " +
      "GRANT SELECT ON `no-such`.PROCESE TO 'u'@'localhost'; " +
      "GRANT SELECT, UPDATE (alarma, notes) ON `no-such`.STATUS_PROCESS TO 'u'@'localhost')",
  );
  assert.match(
    told(1049, "Unknown database 'x'"),
    /^mysql db: Unknown database 'x' \(set database to one that exists; setup\.sql creates v_process_monitor\)$/,
  );
  const grants: [number, string, string][] = [
    [1142, 'UPDATE command denied to user %s for table `v`.`STATUS_PROCESS`', 'UPDATE (alarma, notes) ON v.STATUS_PROCESS'],
    [1142, "SELECT command denied to user %s for table 'PROCESE'", 'SELECT ON v.PROCESE'],
    [
      1143,
      "UPDATE command denied to user %s for column 'sound' in table 'STATUS_PROCESS'",
      'UPDATE (sound) ON v.STATUS_PROCESS',
    ],
  ];
  for (const [errno, text, grant] of grants) {
    const said = text.replace('%s', "'u'@'%'");
    const open = storeError('db', Object.assign(new Error(said), { errno, sqlState: '42000' }), undefined, 'v');
    assert.equal(
      open.message,
      `mysql db: ${said} (expected GRANT ${grant} TO 'u'@'%', or to the host that mysql.user has for it)`,
    );
  }
  // Whose it is, or of what, is not told.
  assert.match(told(1142, 'UPDATE-Befehl nicht erlaubt'), /nicht erlaubt$/);
  assert.match(told(1142, "INSERT command denied to user 'u'@'%' for table 'x'"), /'x'$/);
});

const LOGIN = { stage: 'login', tlsUnused: false } as const;

test('what a server says is cut', () => {
  assert.ok(
    storeError('db', Object.assign(new Error('x'.repeat(1_000_000)), { errno: 1064, sqlState: '42000' })).message.length < 700,
  );
});
