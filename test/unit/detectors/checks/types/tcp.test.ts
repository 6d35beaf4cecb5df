import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { tcpCheck } from '../../../../../src/detectors/checks/types/tcp.ts';
import { lookAtTcp } from '../../../../../src/probes/worker/tcp.ts';
import { NameResolver } from '../../../../../src/system/names/resolver.ts';
import { createCertificates } from '../../../../helpers/certificates.ts';
import { type Keys, lookOnce, problemsWith, targetOf } from '../../../../helpers/network-check.ts';
import { missing } from '../../../../helpers/requirement.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';
import { listening, never, openWorker, tcpServer, tcpWork } from '../../../../helpers/worker-world.ts';

function check(t: TestContext, keys: Keys) {
  return targetOf(tcpCheck, keys, openWorker(t).worker);
}

test('it says something, and is answered', async (t) => {
  let said = '';
  const port = await tcpServer(t, (socket) => {
    socket.setEncoding('latin1').on('data', (text) => {
      said += text;
      if (said.includes('\n')) socket.write('+PONG\r\n');
    });
  });
  const address = `127.0.0.1:${port}`;
  const send = 'PING\\t\\xff\\\\\\r\\n';
  const { worker } = openWorker(t);
  const look = (expect: string, timeoutMs?: number) =>
    lookOnce(targetOf(tcpCheck, { address, send, expect }, worker), timeoutMs);
  assert.equal(await look('+PONG'), 'ok');
  assert.equal(said, 'PING\t\xff\\\r\n');
  assert.equal(await look('/^\\+p.ng/i'), 'ok');
  assert.equal(await look('OK', 1000), 'failing: no complete answer within 1 s');
});

test('an answer in pieces, one that is another, one that breaks, and one that never ends', async (t) => {
  const port = await tcpServer(t, (socket) => {
    socket.write('22');
    setTimeout(() => socket.end('0 mail.example ESMTP\r\n'), 100);
  });
  const reset = await tcpServer(t, (socket) => socket.resetAndDestroy());
  const endless = await tcpServer(t, (socket) => {
    const more = (): void => void socket.write('x'.repeat(65_536), (error) => error ?? more());
    more();
  });
  const { worker } = openWorker(t);
  const look = (to: number, expect: string) => lookOnce(targetOf(tcpCheck, { address: `127.0.0.1:${to}`, expect }, worker));
  assert.equal(await look(port, '220 mail'), 'ok');
  assert.equal(await look(port, '421'), 'failing: the answer lacks "421"');
  assert.equal(await look(port, '/^5/'), 'failing: the answer does not match /^5/');
  assert.match(await look(reset, 'x'), /^failing: ECONNRESET/);
  assert.equal(await look(endless, 'y'), 'failing: the answer lacks "y"');
});

test('an expression that takes for ever makes it unknown', async (t) => {
  const port = await tcpServer(t, (socket) => socket.end(`${'a'.repeat(40)}!`));
  const target = check(t, { address: `127.0.0.1:${port}`, expect: '/^(a+)+$/' });
  assert.equal(await lookOnce(target), 'unknown: matching the answer against /^(a+)+$/ takes too long');
});

test('a name that is not known says nothing about the service', async (t) => {
  const target = check(t, { address: 'no-such-host.invalid:80' });
  assert.match(await lookOnce(target), /^unknown: no-such-host\.invalid could not be resolved: /);
});

test('IPv6', async (t) => {
  const port = await tcpServer(t, () => {}, '::1');
  const target = check(t, { address: `[::1]:${port}` });
  assert.equal(target.description, `tcp [::1]:${port}`);
  assert.equal(await lookOnce(target), 'ok');
});

test('by TLS', { skip: missing('openssl') }, async (t) => {
  const serve = async (days: number) => {
    const dir = tempDir(t);
    createCertificates(dir, ['IP:127.0.0.1', 'DNS:localhost'], days);
    const read = (name: string) => readFileSync(join(dir, name), 'utf8');
    const server = createServer({ cert: read('server.pem'), key: read('server.key') }, (socket) => socket.end('hello'));
    server.on('tlsClientError', () => {});
    return { ca: read('ca.pem'), port: await listening(t, server) };
  };
  const soon = await serve(2);
  const late = await serve(100);
  const over = await serve(-1);
  const plain = await tcpServer(t, (socket) => socket.end('hello'));
  const { worker } = openWorker(t);
  const address = `127.0.0.1:${soon.port}`;
  assert.equal(
    await lookOnce(targetOf(tcpCheck, { address, tls: 'on', expect: 'hello' }, worker)),
    'failing: the certificate of 127.0.0.1 is signed by an unknown authority',
  );
  // The worker knows only the authorities of the machine: here they are ours.
  const usual = getCACertificates('default');
  t.after(() => setDefaultCACertificates(usual));
  setDefaultCACertificates([soon.ca, late.ca, over.ca]);
  const look = (port: number, host: string) =>
    lookAtTcp(
      tcpWork(port, { host, tls: true, expect: { kind: 'text', text: 'hello' }, certificateDays: 14 }),
      new NameResolver(),
      30_000,
      never,
    );
  const warned = await look(soon.port, 'localhost');
  assert.equal(warned.kind, 'ok');
  assert.match(warned.certificate ?? '', /^the certificate of localhost ends on 20\d\d-\d\d-\d\d$/);
  assert.deepEqual(await look(late.port, '127.0.0.1'), { kind: 'ok', certificate: null });
  const expired = await look(over.port, '127.0.0.1');
  assert.deepEqual(expired, { kind: 'failing', reason: 'the certificate of 127.0.0.1 has expired', certificate: undefined });
  const other = await look(plain, '127.0.0.1');
  assert(other.kind === 'failing' && other.certificate === undefined);
});

test('authorities of its own, as its file has them now', { skip: missing('openssl') }, async (t) => {
  const dir = tempDir(t);
  createCertificates(dir, ['IP:127.0.0.1'], 100);
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  const server = createServer({ cert: read('server.pem'), key: read('server.key') }, (socket) => socket.end('hello'));
  server.on('tlsClientError', () => {});
  const address = `127.0.0.1:${await listening(t, server)}`;
  const ca_file = join(dir, 'authorities');
  const target = check(t, { address, tls: 'on', expect: 'hello', ca_file });
  assert.equal(await lookOnce(target), `unknown: ca_file "${ca_file}" cannot be read: there is no such file`);
  writeFileSync(ca_file, `# ours\n${read('ca.pem')}`);
  assert.equal(await lookOnce(target), 'ok');
  mkdirSync(join(dir, 'other'));
  createCertificates(join(dir, 'other'), ['IP:127.0.0.1'], 100);
  writeFileSync(ca_file, read('other/ca.pem'));
  assert.match(await lookOnce(target), /^failing: the certificate of 127\.0\.0\.1 /);
  // What OpenSSL leaves out must not look like an unknown authority.
  writeFileSync(ca_file, read('server.key'));
  assert.equal(await lookOnce(target), 'unknown: ca_file cannot be used: it holds no certificate in PEM');
  writeFileSync(ca_file, `${read('ca.pem')}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
  assert.equal(await lookOnce(target), 'unknown: ca_file cannot be used: certificate 2 in it is damaged');
});

test('what is wrong with the keys is said, without what is to be sent', () => {
  assert.deepEqual(problemsWith(tcpCheck, {}), ['address: is missing: type = tcp needs an address, HOST:PORT']);
  assert.deepEqual(problemsWith(tcpCheck, { address: 'a' }), ['address: invalid value "a", expected HOST:PORT or [IPv6]:PORT']);
  assert.deepEqual(problemsWith(tcpCheck, { address: 'a:1', send: 'hunter2\\q' }), [
    'send: invalid value, expected \\r, \\n, \\t, \\\\ or \\xHH after a backslash',
  ]);
  assert.deepEqual(problemsWith(tcpCheck, { address: 'a:1', certificate_days: '3' }), [
    'certificate_days: has no effect without tls = on',
  ]);
  assert.deepEqual(problemsWith(tcpCheck, { address: 'a:1', ca_file: '/a.pem' }), ['ca_file: has no effect without tls = on']);
  assert.deepEqual(problemsWith(tcpCheck, { address: 'a:1', tls: 'on', ca_file: 'a.pem' }), [
    'ca_file: invalid value, expected an absolute path',
  ]);
  assert.equal(problemsWith(tcpCheck, { address: 'a:1', expect: '/(/' }).length, 1);
});
