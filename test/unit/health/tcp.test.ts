import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { look, onlyCheck, problemsOf, reason } from '../../helpers/health-world.ts';

async function listen(t: TestContext, host: string): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).destroy());
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('healthy if somebody listens', async (t) => {
  const port = await listen(t, '127.0.0.1');
  assert.deepEqual(await look(onlyCheck({ health_check_tcp: `127.0.0.1:${port}` })), { kind: 'healthy' });
  assert.deepEqual(await look(onlyCheck({ health_check_tcp: `localhost:${port}` })), { kind: 'healthy' });
});

test('IPv6 is written in brackets', async (t) => {
  const port = await listen(t, '::1').catch(() => undefined);
  if (port === undefined) return t.skip('no IPv6 here');
  assert.deepEqual(await look(onlyCheck({ health_check_tcp: `[::1]:${port}` })), { kind: 'healthy' });
});

test('unhealthy if nobody listens, or there is no such host', async () => {
  const port = await freePort();
  assert.equal(reason(await look(onlyCheck({ health_check_tcp: `127.0.0.1:${port}` }))), 'ECONNREFUSED');
  assert.equal(reason(await look(onlyCheck({ health_check_tcp: `localhost:${port}` }))), 'ECONNREFUSED');
  assert.match(
    reason(await look(onlyCheck({ health_check_tcp: 'no-such-host.invalid:80' }))),
    /^no-such-host\.invalid could not be resolved$/,
  );
});

test('it ends at the limit and at an abort', async () => {
  // An address nobody answers from (RFC 5737), or nobody has a way to: unhealthy in time either way.
  const start = performance.now();
  const silent = onlyCheck({ health_check_tcp: '192.0.2.1:9' });
  assert.notEqual(reason(await look(silent, { timeoutMs: 200 })), '');
  assert.notEqual(reason(await look(silent, { signal: AbortSignal.timeout(200) })), '');
  assert.equal(reason(await look(silent, { signal: AbortSignal.abort() })), 'aborted');
  assert.ok(performance.now() - start < 10_000);
});

test('what is not an address is reported', () => {
  for (const value of ['db', ':80', 'db:', 'db:0', 'db:65536', '::1:80', '[db]:80', 'http://db:80', 'a b:80', 'u@h:80']) {
    const [problem = ''] = problemsOf({ health_check_tcp: value });
    assert.equal(problem, `health_check_tcp: invalid value "${value}", expected HOST:PORT or [IPv6]:PORT`);
  }
});
