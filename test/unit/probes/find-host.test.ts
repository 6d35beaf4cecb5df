import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { NameResolver } from '../../../src/system/names/resolver.ts';
import { createCertificates } from '../../helpers/certificates.ts';
import { type DnsRecord, type DnsServer, dnsServer } from '../../helpers/dns-server.ts';
import { look, noCommands, onlyCheck } from '../../helpers/health-world.ts';
import { missing } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** Checks whose names one DNS server knows. */
async function checks(t: TestContext, records: Readonly<Record<string, DnsRecord>>) {
  const dns: DnsServer = await dnsServer(t, records);
  const names = new NameResolver({ servers: [dns.address], hostsFile: join(tempDir(t), 'none'), getent: 'false' });
  return { dns, check: (keys: Record<string, string>) => onlyCheck(keys, { ...noCommands, names }) };
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('a host is found by its name, which the server receives', async (t) => {
  const seen: IncomingMessage[] = [];
  const site = createServer((request, response) => {
    seen.push(request);
    response.end();
  });
  const port = await listening(t, site);
  const { check } = await checks(t, { 'web.example.test': ['127.0.0.1'] });
  assert.deepEqual(await look(check({ health_check_url: `http://web.example.test:${port}/` })), { kind: 'healthy' });
  assert.equal(seen[0]?.headers.host, `web.example.test:${port}`);
  assert.deepEqual(await look(check({ health_check_tcp: `web.example.test:${port}` })), { kind: 'healthy' });
});

test('of several addresses one that answers is enough', async (t) => {
  const port = await listening(
    t,
    createServer((_, response) => response.end()),
  );
  const { check } = await checks(t, { 'web.example.test': ['127.0.0.9', '::1', '127.0.0.1'] });
  assert.deepEqual(await look(check({ health_check_url: `http://web.example.test:${port}/` })), { kind: 'healthy' });
  assert.deepEqual(await look(check({ health_check_tcp: `web.example.test:${port}` })), { kind: 'healthy' });
});

test('a certificate is the name’s, not the address’s', { skip: missing('openssl') }, async (t) => {
  const dir = tempDir(t);
  createCertificates(dir, ['DNS:web.example.test']);
  const [cert, key, ca] = ['server.pem', 'server.key', 'ca.pem'].map((file) => readFileSync(join(dir, file), 'utf8'));
  const asked: (string | false | null | undefined)[] = [];
  const site = createTlsServer({ cert, key }, ({ socket }, response) => {
    asked.push((socket as TLSSocket & { servername?: string | false }).servername);
    response.end();
  });
  const port = await listening(t, site);
  const { check } = await checks(t, { 'web.example.test': ['127.0.0.1'], 'other.example.test': ['127.0.0.1'] });
  const before = getCACertificates();
  t.after(() => setDefaultCACertificates(before));
  setDefaultCACertificates([ca ?? '']);
  assert.deepEqual(await look(check({ health_check_url: `https://web.example.test:${port}/` })), { kind: 'healthy' });
  assert.deepEqual(asked, ['web.example.test']);
  const other = await look(check({ health_check_url: `https://other.example.test:${port}/` }));
  assert.equal(other.kind === 'unhealthy' && other.reason, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

test('a host that is not found proves nothing, in time, whatever the cause', async (t) => {
  const { check, dns } = await checks(t, { 'quiet.example.test': 'silent', 'ill.example.test': 'servfail' });
  const why = {
    'quiet.example.test': /no DNS server has answered/,
    'ill.example.test': /SERVFAIL/,
    'none.example.test': /no such/,
  };
  for (const [host, detail] of Object.entries(why)) {
    for (const keys of [{ health_check_url: `http://${host}/` }, { health_check_tcp: `${host}:80` }]) {
      const result = await look(check(keys), { timeoutMs: 1000 });
      assert.deepEqual(
        [result.kind, result.kind === 'not_proved' && result.reason],
        ['not_proved', `${host} could not be resolved`],
      );
      assert.match(result.kind === 'not_proved' ? result.detail : '', detail);
    }
  }
  dns.otherwise = 'silent';
  const stop = AbortSignal.timeout(100);
  const aborted = await look(check({ health_check_tcp: 'none.example.test:80' }), { timeoutMs: 600_000, signal: stop });
  assert.deepEqual(aborted, { kind: 'unhealthy', reason: 'aborted' });
});

test('a host that is found and does not answer is unhealthy, however long it took to find it', async (t) => {
  const { check } = await checks(t, { 'web.example.test': ['127.0.0.1'] });
  const result = await look(check({ health_check_tcp: 'web.example.test:1' }));
  assert.deepEqual(result, { kind: 'unhealthy', reason: 'ECONNREFUSED' });
});
