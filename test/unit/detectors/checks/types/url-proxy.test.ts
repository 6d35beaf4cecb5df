import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { loadConfigText } from '../../../../../src/config/config-file.ts';
import { systemClock } from '../../../../../src/core/clock.ts';
import { formatProblem } from '../../../../../src/core/errors.ts';
import { proxiesOf } from '../../../../../src/detectors/checks/types/url/proxy.ts';
import { urlCheck } from '../../../../../src/detectors/checks/types/url.ts';
import { proxyFor } from '../../../../../src/probes/url/proxy.ts';
import { Worker } from '../../../../../src/probes/worker/client.ts';
import { workerProgram } from '../../../../../src/probes/worker/program.ts';
import { directStarter } from '../../../../../src/probes/worker/start-direct.ts';
import { createCertificates } from '../../../../helpers/certificates.ts';
import { freePort } from '../../../../helpers/free-port.ts';
import { type Keys, lookOnce, targetOf } from '../../../../helpers/network-check.ts';
import { missing } from '../../../../helpers/requirement.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';
import { listening, tcpServer } from '../../../../helpers/worker-world.ts';

// Requests by a real worker through proxies of the test.

let worker: Worker;
before(() => {
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
  worker = new Worker({ start: directStarter(workerProgram()), clock: systemClock, onTrouble: assert.fail });
});
after(() => worker.stop());

function look(url: string, proxy: string | undefined, keys: Keys = {}, timeoutMs?: number): Promise<string> {
  return lookOnce(targetOf(urlCheck, { url, ...(proxy !== undefined && { proxy }), ...keys }, worker), timeoutMs);
}

/** A proxy that connects to this machine, whatever host it is asked for. `asked`: what for, and with which login. */
async function openProxy(t: TestContext) {
  const asked: string[] = [];
  const note = (what: string, login: string | undefined): void => {
    const words = login === undefined ? '' : ` as ${Buffer.from(login.replace('Basic ', ''), 'base64')}`;
    asked.push(`${what}${words}`.replace(/:\d{4,5}\b/, ''));
  };
  const server = createServer((request, response) => {
    const { method, headers } = request;
    note(`${method} ${request.url}`, headers['proxy-authorization']);
    const { port, pathname } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...passed } = headers;
    const onward = httpRequest({ host: '127.0.0.1', port, path: pathname, method, headers: passed }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request, socket, first) => {
    note(`CONNECT ${request.url}`, request.headers['proxy-authorization']);
    const onward = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(first);
      onward.pipe(socket).pipe(onward);
    });
    for (const one of [onward, socket])
      one.on('error', () => {}).on('close', () => [onward, socket].map((end) => end.destroy()));
  });
  return { asked, place: `127.0.0.1:${await listening(t, server)}` };
}

async function serveTls(t: TestContext, answer: RequestListener, days = 100) {
  const dir = tempDir(t);
  createCertificates(dir, ['DNS:shop.test'], days);
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  const port = await listening(t, createTlsServer({ cert: read('server.pem'), key: read('server.key') }, answer));
  return { url: `https://shop.test:${port}`, ca_file: join(dir, 'ca.pem') };
}

/** A proxy that answers with these bytes, whatever it is asked; `lines`: what it was sent. */
async function rawProxy(t: TestContext, answer: string): Promise<string> {
  const port = await tcpServer(t, (socket) => socket.once('data', () => socket.write(answer)));
  return `127.0.0.1:${port}`;
}

test('http: the proxy is sent the whole URL, and only it gets our login', async (t) => {
  const { asked, place } = await openProxy(t);
  const seen: unknown[] = [];
  const port = await listening(
    t,
    createServer((request, response) => {
      const { host, authorization, 'x-token': token } = request.headers;
      seen.push([request.url, host, authorization, token]);
      assert.equal(request.headers['proxy-authorization'], undefined);
      response.end('well');
    }),
  );
  const url = `http://shop.test:${port}/health?x=1`;
  const keys = { auth_user: 'me', auth_password: 'mine', 'header.X-Token': 't', expect_body: 'well' };
  assert.equal(await look(url, `http://us%40er:p%3Aw@${place}`, keys), 'ok');
  assert.deepEqual(seen, [['/health', `shop.test:${port}`, `Basic ${btoa('me:mine')}`, 't']]);
  assert.deepEqual(asked, ['GET http://shop.test/health?x=1 as us@er:p:w']);
  assert.equal(await look(`${url}#part`, `http://${place}`, { method: 'POST', body: 'x' }), 'ok');
  assert.deepEqual(asked.slice(1), ['POST http://shop.test/health?x=1']);
});

test('https: by CONNECT, with the certificate of the host itself', { skip: missing('openssl') }, async (t) => {
  const { asked, place } = await openProxy(t);
  const heads: string[] = [];
  const { url, ca_file } = await serveTls(t, (request, response) => {
    heads.push(request.rawHeaders.join(' '));
    response.end('well');
  });
  const proxy = `http://user:hunter2@${place}`;
  assert.equal(await look(url, proxy, { ca_file, expect_body: 'well', certificate_days: '10' }), 'ok');
  assert.match(
    await look(url, proxy, { ca_file, certificate_days: '200' }),
    /^ok \| certificate warning: .* shop\.test ends on /,
  );
  assert.equal(await look(url, proxy), 'failing: the certificate of shop.test is signed by an unknown authority');
  assert.deepEqual(new Set(asked), new Set(['CONNECT shop.test as user:hunter2']));
  assert.equal(heads.length, 2);
  assert.doesNotMatch(heads.join(' '), /proxy|hunter2/i);
  const other = await serveTls(t, (_request, response) => response.end());
  const named = other.url.replace('shop.test', 'other.test');
  assert.equal(
    await look(named, proxy, { ca_file: other.ca_file }),
    'failing: the certificate of other.test is for another host',
  );
});

test('every hop of a redirect goes through the proxy for it', { skip: missing('openssl') }, async (t) => {
  const { asked, place } = await openProxy(t);
  const { url, ca_file } = await serveTls(t, (request, response) => {
    if (request.url === '/end') response.end('well');
    else response.writeHead(302, { Location: '/end' }).end();
  });
  const port = await listening(
    t,
    createServer((_request, response) => response.writeHead(301, { Location: url }).end()),
  );
  assert.equal(await look(`http://shop.test:${port}/`, `http://${place}`, { ca_file, expect_body: 'well' }), 'ok');
  assert.deepEqual(asked, ['GET http://shop.test/', 'CONNECT shop.test', 'CONNECT shop.test']);
});

test('a proxy that does not do its work says nothing about the host', async (t) => {
  const unknown = (place: string, words: string): string => `unknown: proxy ${place}: ${words}`;
  for (const url of ['http://shop.test/', 'https://shop.test/']) {
    const denies = await rawProxy(t, 'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    assert.equal(await look(url, `http://user:hunter2@${denies}`), unknown(denies, 'answers with status 407'), url);
    const closed = `127.0.0.1:${await freePort()}`;
    assert.equal(await look(url, `http://user:hunter2@${closed}`), unknown(closed, 'ECONNREFUSED'), url);
    const port = await tcpServer(t, (socket) => socket.destroy());
    assert.match(await look(url, `http://user:hunter2@127.0.0.1:${port}`), /^unknown: proxy 127\.0\.0\.1:\d+: [^@]+$/, url);
    const garbage = await rawProxy(t, '220 mail.example.test ESMTP\r\n');
    assert.match(await look(url, `http://${garbage}`), /^unknown: proxy 127\.0\.0\.1:\d+: HPE_/, url);
    const endless = await rawProxy(t, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000));
    assert.match(
      await look(url, `http://${endless}`),
      /^unknown: proxy .*: (more than 20 interim answers \(1xx\)|answers with status 102)$/,
      url,
    );
    const large = await rawProxy(t, `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`);
    assert.match(await look(url, `http://${large}`), /^unknown: proxy .*: HPE_HEADER_OVERFLOW$/, url);
    assert.match(
      await look(url, 'http://user:hunter2@no-such-host.invalid:3128'),
      /^unknown: proxy no-such-host\.invalid:3128: no-such-host\.invalid could not be resolved: /,
      url,
    );
  }
  const cannot = await rawProxy(t, 'HTTP/1.1 503 Service Unavailable\r\n\r\n');
  assert.equal(await look('https://shop.test/', `http://${cannot}`), unknown(cannot, 'answers with status 503'));
  const silent = `127.0.0.1:${await tcpServer(t, () => {})}`;
  const late = await look('https://shop.test/', `http://${silent}`, {}, 700);
  assert.match(late, /^unknown: proxy 127\.0\.0\.1:\d+: has not connected within 0\.[67] s$/);
  // What comes through the proxy is what the host says.
  const broken = await rawProxy(t, 'HTTP/1.1 200 OK\r\n\r\nnot TLS at all, but more than enough bytes for a record\r\n');
  assert.match(await look('https://shop.test/', `http://${broken}`), /^failing: the TLS handshake failed \(/);
});

test('the proxies of the environment, read at each look', async (t) => {
  const { asked, place } = await openProxy(t);
  const port = await listening(
    t,
    createServer((_request, response) => response.end()),
  );
  const url = `http://127.0.0.1:${port}/`;
  t.after(() => {
    delete process.env.http_proxy;
    delete process.env.no_proxy;
  });
  process.env.http_proxy = `http://user:hunter2@${place}`;
  assert.equal(await look(url, undefined), 'ok');
  assert.equal(await look(url, 'environment'), 'ok');
  assert.equal(asked.length, 2);
  assert.equal(await look(url, 'none'), 'ok');
  process.env.no_proxy = 'localhost, 127.0.0.0/8';
  assert.equal(await look(url, undefined), 'ok');
  assert.equal(asked.length, 2);
  process.env.no_proxy = '';
  process.env.http_proxy = 'socks5://user:hunter2@proxy:1080';
  assert.equal(await look(url, undefined), 'unknown: the proxy is not of the form http://HOST:PORT');
});

test('which variable counts', () => {
  const of = (env: Record<string, string>) => proxiesOf('environment', env);
  assert.equal(of({ HTTP_PROXY: 'a', no_proxy: '*' }), undefined);
  assert.equal(proxiesOf('none', { http_proxy: 'a' }), undefined);
  assert.deepEqual(of({ http_proxy: 'a', HTTPS_PROXY: 'B' }), { http: 'a', https: 'B', except: '' });
  assert.deepEqual(of({ https_proxy: 'b', HTTPS_PROXY: 'B', NO_PROXY: 'x' }), { http: undefined, https: 'b', except: 'x' });
  assert.deepEqual(of({ ALL_PROXY: 'c', http_proxy: '', no_proxy: '', NO_PROXY: 'x' }), { http: 'c', https: 'c', except: '' });
  assert.deepEqual(proxiesOf({ url: 'http://p' }, { no_proxy: '*' }), { http: 'http://p', https: 'http://p', except: '' });
});

test('who is asked without the proxy', () => {
  const isDirect = (host: string, except: string): boolean =>
    proxyFor(new URL(`https://${host}/`), { http: undefined, https: 'proxy:3128', except }) === undefined;
  const direct: [host: string, except: string][] = [
    ['a.example.test', '*'],
    ['a.example.test', 'other,.EXAMPLE.test'],
    ['a.example.test', 'example.test'],
    ['example.test', '.example.test'],
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7', '10.0.0.0/8 192.0.2.0/24'],
    ['[2001:db8::7]', '[2001:0db8::7]'],
    ['[2001:db8::7]', '2001:db8::/32'],
    ['192.0.2.7', '0.0.0.0/0'],
  ];
  for (const [host, except] of direct) assert.equal(isDirect(host, except), true, `${host} ${except}`);
  const through: [host: string, except: string][] = [
    ['a.example.test', ''],
    ['notexample.test', 'example.test'],
    ['example.test.other', 'example.test'],
    ['192.0.2.7', '192.0.2.70, 192.0.2, 2001:db8::/32, 192.0.3.0/24, 192.0.2.0/33, 192.0.2.0/x'],
    ['[2001:db8::7]', '2001:db9::/32'],
  ];
  for (const [host, except] of through) assert.equal(isDirect(host, except), false, `${host} ${except}`);
  assert.deepEqual(proxyFor(new URL('https://a/'), { http: undefined, https: '[::1]:3128', except: '' }), {
    host: '::1',
    port: 3128,
    name: '[::1]:3128',
    authorization: undefined,
  });
});

test('a proxy that cannot be one is refused, and its password is not shown', () => {
  const problems = (proxy: string): string[] => {
    const document = loadConfigText('f', `[check.x]\nurl = http://a/\nproxy = ${proxy}\n`);
    const options = urlCheck.parse(document.member('check', 'x'));
    assert(!JSON.stringify(options?.work).includes('hunter2'));
    return document.problems.map((problem) => formatProblem('f', problem));
  };
  const refused = ['f:3: [check.x] proxy: invalid value, expected environment, none, or a proxy, http://HOST:PORT'];
  for (const proxy of [
    'https://u:hunter2@p:1',
    'socks5://u:hunter2@p',
    'p:3128',
    'http://u:hunter2@p/path',
    'http://u:hunter2%@p',
  ])
    assert.deepEqual(problems(proxy), refused, proxy);
  for (const proxy of ['none', 'Environment', 'http://p:3128', 'http://u:hunter2@p:3128/', 'http://[::1]:3128'])
    assert.deepEqual(problems(proxy), [], proxy);
});
