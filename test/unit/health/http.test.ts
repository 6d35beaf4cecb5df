import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { look, onlyCheck, problemsOf, reason } from '../../helpers/health-world.ts';
import { missing } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

async function open(t: TestContext, server: Server & { closeAllConnections?: () => void }): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections?.();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function serve(t: TestContext, answer: RequestListener): Promise<string> {
  return open(t, createServer(answer));
}

test('2xx is healthy unless a status is asked for', async (t) => {
  const host = await serve(t, ({ url }, response) => response.writeHead(Number(url?.slice(1))).end());
  const status = async (code: number, health_check_status?: string) =>
    reason(
      await look(
        onlyCheck({ health_check_url: `http://${host}/${code}`, ...(health_check_status && { health_check_status }) }),
      ),
    );
  assert.equal(await status(200), '');
  assert.equal(await status(204), '');
  assert.equal(await status(302), 'status 302', 'redirects are not followed');
  assert.equal(await status(500), 'status 500');
  assert.equal(await status(200, '204'), 'status 200');
  assert.equal(await status(404, '200, 404'), '');
  assert.equal(await status(403, '2xx,4XX'), '');
  assert.equal(await status(299, '200-299'), '');
  assert.equal(await status(300, '200 - 299'), 'status 300');
});

test('it is a plain GET, with the credentials of the URL', async (t) => {
  let seen: IncomingMessage | undefined;
  const host = await serve(t, (request, response) => {
    seen = request;
    response.end();
  });
  const check = onlyCheck({ health_check_url: `http://us%40er:p%25w@${host}/path?query=1` });
  assert.deepEqual(await look(check), { kind: 'healthy' });
  assert.equal(`${seen?.method} ${seen?.url}`, 'GET /path?query=1');
  assert.equal(seen?.headers.authorization, `Basic ${btoa('us@er:p%w')}`);
  assert.equal(check.description, `health_check_url http://${host}/path`);
});

test('%s is percent-encoded into the URL', async (t) => {
  const seen: (string | undefined)[] = [];
  const host = await serve(t, ({ url }, response) => {
    seen.push(url);
    response.end();
  });
  const check = onlyCheck({ health_check_url: `http://${host}/health/%s?name=%s` });
  for (const name of ['nginx', '../../x?a=b#c', 'é\r\nX: y', '\ud800'])
    assert.deepEqual(await look(check, { name }), { kind: 'healthy' });
  assert.equal(seen[1], '/health/..%2F..%2Fx%3Fa%3Db%23c?name=..%2F..%2Fx%3Fa%3Db%23c');
  assert.equal(seen[2], '/health/%C3%A9%0D%0AX%3A%20y?name=%C3%A9%0D%0AX%3A%20y');
  for (const name of ['.', '..']) assert.match(reason(await look(check, { name })), /cannot stand for %s/);
  for (const name of ['ngi\u200bnx', 'nginx\u3164', '\u00adnginx', 'nginx\u{e0041}'])
    assert.match(
      reason(await look(check, { name })),
      /"[ -~]+" cannot stand for %s in health_check_url \(it holds U\+[0-9A-F]{4,5}, /,
    );
  assert.equal(seen.length, 4);
  assert.match(reason(await look(onlyCheck({ health_check_url: 'http://%s/' }), { name: 'a b' })), /is not a URL/);
});

test('the body is searched or matched', async (t) => {
  const host = await serve(t, (_, response) => response.end('status: OK\nqueue: 12 ü'));
  const body = async (health_check_body: string) =>
    reason(await look(onlyCheck({ health_check_url: `http://${host}/`, health_check_body })));
  assert.equal(await body('queue: 12 ü'), '');
  assert.equal(await body('/^QUEUE: \\d+/im'), '');
  assert.equal(await body('down'), 'the body lacks "down"');
  assert.equal(await body('/down/'), 'the body does not match /down/');
  assert.equal(await body('/var/lib'), 'the body lacks "/var/lib"');
});

test('an expression that backtracks for ever is stopped', async (t) => {
  const host = await serve(t, (_, response) => response.end(`${'a'.repeat(60)}!`));
  const check = onlyCheck({ health_check_url: `http://${host}/`, health_check_body: '/^(a+)+$/' });
  const start = performance.now();
  assert.match(reason(await look(check)), /takes too long/);
  assert.ok(performance.now() - start < 10_000);
});

test('of an endless body the first MiB counts', async (t) => {
  const pour = (response: ServerResponse): void => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
    response.once('drain', () => pour(response));
  };
  const host = await serve(t, ({ url }, response) => {
    if (url === '/marked') response.write('marker');
    pour(response);
  });
  const at = (path: string) => onlyCheck({ health_check_url: `http://${host}${path}`, health_check_body: 'marker' });
  assert.deepEqual(await look(at('/marked')), { kind: 'healthy' });
  assert.equal(reason(await look(at('/'))), 'the body lacks "marker"');
});

test('the limit is absolute: for silence, dripping headers and dripping bodies', async (t) => {
  const drip = (head: string) =>
    createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.write(head);
      const timer = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(timer));
    });
  const silent = await open(
    t,
    createTcpServer((socket) => socket.on('error', () => {})),
  );
  const headers = await open(t, drip('HTTP/1.1 200 OK\r\nX-Long: '));
  const body = await open(t, drip('HTTP/1.1 200 OK\r\n\r\n'));
  for (const host of [silent, headers, body]) {
    const check = onlyCheck({ health_check_url: `http://${host}/`, health_check_body: 'ok' });
    assert.equal(reason(await look(check, { timeoutMs: 200 })), 'no complete answer within 0.2 s');
    assert.equal(reason(await look(check, { signal: AbortSignal.timeout(100) })), 'aborted');
    assert.equal(reason(await look(check, { signal: AbortSignal.abort() })), 'aborted');
  }
});

test('what is not an answer is unhealthy', async (t) => {
  const rude = async (text: string) => {
    const host = await open(
      t,
      createTcpServer((socket) => socket.on('error', () => {}).end(text)),
    );
    return reason(await look(onlyCheck({ health_check_url: `http://${host}/`, health_check_body: 'ok' })));
  };
  assert.match(await rude('SSH-2.0-OpenSSH_9.2\r\n'), /^HPE_/);
  assert.equal(await rude(''), 'ECONNRESET');
  assert.equal(
    await rude('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok'),
    'the connection broke in the middle of the body',
  );
  assert.match(reason(await look(onlyCheck({ health_check_url: 'http://127.0.0.1:1/' }))), /^ECONNREFUSED$/);
  assert.match(
    reason(await look(onlyCheck({ health_check_url: 'http://no-such-host.invalid/' }))),
    /^no-such-host\.invalid could not be resolved$/,
  );
});

test('a certificate nobody vouches for is unhealthy, whatever the environment says', {
  skip: missing('openssl'),
}, async (t) => {
  const dir = tempDir(t);
  const files = ['-keyout', join(dir, 'key'), '-out', join(dir, 'cert')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject], { stdio: 'ignore' });
  const cert = readFileSync(join(dir, 'cert'), 'utf8');
  const server = createTlsServer({ cert, key: readFileSync(join(dir, 'key')) }, (_, response) => response.end());
  const check = onlyCheck({ health_check_url: `https://${await open(t, server)}/` });
  const before = { authorities: getCACertificates(), tolerant: process.env.NODE_TLS_REJECT_UNAUTHORIZED };
  t.after(() => {
    setDefaultCACertificates(before.authorities);
    if (before.tolerant === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  assert.match(reason(await look(check)), /SELF_SIGNED/);
  setDefaultCACertificates([cert]);
  assert.deepEqual(await look(check), { kind: 'healthy' });
});

test('what cannot be used is reported, without any password in it', () => {
  const url = (value: string): string => problemsOf({ health_check_url: value }).join('\n');
  for (const value of ['db', 'ftp://db/', 'http:db', '//db', 'http://', 'file:///etc/passwd', 'http://hunter2@a b/']) {
    assert.match(url(value), /^health_check_url: invalid URL: expected http/, value);
    assert.doesNotMatch(url(value), /hunter2/);
  }
  assert.match(url('http://u:hunter2@%s/'), /%s cannot stand for the host/);
  assert.doesNotMatch(url('http://u:hunter2@%s/'), /hunter2/);
  assert.match(url('http://u:100%@db/'), /%25/);
  assert.equal(url('http://%s:8080/'), '');
  for (const value of ['20', '6xx', '299-200', 'ok', '200 204']) {
    assert.match(problemsOf({ health_check_status: value }).join(), new RegExp(`invalid value "${value}"`));
  }
  assert.match(problemsOf({ health_check_body: '/(/' }).join(), /or \/EXPRESSION\/: .*Unterminated group/);
  assert.match(problemsOf({ health_check_body: '/a/g' }).join(), /flags may be/);
});
