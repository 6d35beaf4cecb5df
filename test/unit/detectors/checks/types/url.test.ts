import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { loadConfigText } from '../../../../../src/config/config-file.ts';
import { systemClock } from '../../../../../src/core/clock.ts';
import { urlCheck } from '../../../../../src/detectors/checks/types/url.ts';
import { Worker } from '../../../../../src/probes/worker/client.ts';
import { workerProgram } from '../../../../../src/probes/worker/program.ts';
import { directStarter } from '../../../../../src/probes/worker/start-direct.ts';
import { createCertificates } from '../../../../helpers/certificates.ts';
import { type Keys, lookOnce, problemsWith, targetOf } from '../../../../helpers/network-check.ts';
import { missing } from '../../../../helpers/requirement.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';
import { listening, tcpServer } from '../../../../helpers/worker-world.ts';

// Requests by a real worker to servers of the test, good ones and hostile ones.

let worker: Worker;
before(() => {
  // A proxy of whoever runs the tests.
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
  worker = new Worker({ start: directStarter(workerProgram()), clock: systemClock, onTrouble: assert.fail });
});
after(() => worker.stop());

function look(url: string, keys: Keys = {}, timeoutMs?: number): Promise<string> {
  return lookOnce(targetOf(urlCheck, { url, ...keys }, worker), timeoutMs);
}

/** A server; its URL without a path. */
async function serve(t: TestContext, answer: RequestListener, host = '127.0.0.1'): Promise<string> {
  const port = await listening(t, createServer(answer), host);
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A server that sends these bytes, whatever is asked, and then does as `then` says. */
async function raw(t: TestContext, head: string, then?: (socket: import('node:net').Socket) => void): Promise<string> {
  const port = await tcpServer(t, (socket) => socket.once('data', () => socket.write(head, () => then?.(socket))));
  return `http://127.0.0.1:${port}`;
}

/** A server with a certificate for these names; `ca`: a file with its authority. */
async function serveTls(t: TestContext, answer: RequestListener, names = ['IP:127.0.0.1'], days = 100, more = {}) {
  const dir = tempDir(t);
  createCertificates(dir, names, days);
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  const server = createTlsServer({ cert: read('server.pem'), key: read('server.key'), ca: read('ca.pem'), ...more }, answer);
  const port = await listening(t, server);
  return { url: `https://127.0.0.1:${port}`, port, ca: join(dir, 'ca.pem'), dir };
}

const well: RequestListener = (_request, response) => response.end('well');

test('a status that is expected is well', async (t) => {
  const url = await serve(t, (request, response) => response.writeHead(Number(request.url?.slice(1, 4))).end());
  assert.equal(await look(`${url}/200`), 'ok');
  assert.equal(await look(`${url}/503?password=hunter2`), 'failing: status 503 (expected 2xx)');
  assert.equal(await look(`${url}/503`, { status: '503' }), 'ok');
  assert.equal(await look(`${url}/200`, { status: '204, 300-305' }), 'failing: status 200 (expected 204, 300-305)');
  const target = targetOf(urlCheck, { url: 'http://user:hunter2@host/path?password=hunter2' }, worker);
  assert.equal(target.description, 'url http://host/path');
});

test('what is sent is what is configured', async (t) => {
  const dir = tempDir(t);
  const requests: { request: IncomingMessage; body: string }[] = [];
  const url = await serve(t, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ request, body });
    response.end();
  });
  assert.equal(await look(`${url}/a?b=c#d`, { 'header.X-Token': 'hunter2', 'header.accept': 'text/plain' }), 'ok');
  assert.equal(await look(url, { method: 'POST', body: '{"a": "ä;b"}' }), 'ok');
  assert.equal(await look(url, { method: 'HEAD', auth_user: 'me', auth_password: 'p:w' }), 'ok');
  writeFileSync(join(dir, 'body'), Buffer.from([0, 255, 10]));
  writeFileSync(join(dir, 'password'), 'from a file\n');
  const files = { body_file: join(dir, 'body'), auth_password_file: join(dir, 'password') };
  assert.equal(await look(url, { method: 'PUT', auth_user: 'me', ...files }), 'ok');
  assert.equal(await look(url.replace('//', '//a%40b:c%3A@')), 'ok');
  const [get, post, head, put, inUrl] = requests;
  assert.equal(get?.request.url, '/a?b=c');
  assert.equal(get?.request.headers['x-token'], 'hunter2');
  assert.equal(get?.request.headers.accept, 'text/plain');
  assert.equal(get?.request.headers['user-agent'], 'monitor_service');
  assert.equal(`${post?.request.method} ${post?.body}`, 'POST {"a": "ä;b"}');
  assert.equal(post?.request.headers['content-length'], '13');
  assert.equal(`${head?.request.method} ${head?.request.headers.authorization}`, `HEAD Basic ${btoa('me:p:w')}`);
  assert.equal(put?.request.headers.authorization, `Basic ${btoa('me:from a file')}`);
  assert.equal(put?.request.headers['content-length'], '3');
  assert.equal(inUrl?.request.headers.authorization, `Basic ${btoa('a@b:c:')}`);
});

test('files are read at each look, and one that cannot be read says nothing about the target', async (t) => {
  const dir = tempDir(t);
  const bodies: string[] = [];
  const url = await serve(t, async (request, response) => {
    for await (const chunk of request) bodies.push(String(chunk));
    response.end();
  });
  const file = join(dir, 'body');
  const target = targetOf(urlCheck, { url, method: 'POST', body_file: file }, worker);
  assert.equal(await lookOnce(target), `unknown: body_file "${file}" cannot be read: there is no such file`);
  writeFileSync(file, 'one');
  assert.equal(await lookOnce(target), 'ok');
  writeFileSync(file, 'two');
  chmodSync(file, 0o600);
  assert.equal(await lookOnce(target), 'ok');
  assert.deepEqual(bodies, ['one', 'two']);
  writeFileSync(file, 'x'.repeat(1024 * 1024 + 1));
  assert.equal(await lookOnce(target), `unknown: body_file "${file}" cannot be read: it is larger than 1 MiB`);
  rmSync(file);
  const tls = { ca_file: file };
  assert.equal(await look('https://127.0.0.1:1', tls), `unknown: ca_file "${file}" cannot be read: there is no such file`);
  writeFileSync(file, 'no key');
  assert.equal(await look('https://127.0.0.1:1', tls), 'unknown: ca_file cannot be used: it holds no certificate in PEM');
  const own = { client_cert: file, client_key: file };
  assert.match(await look('https://127.0.0.1:1', own), /^unknown: ca_file, client_cert or client_key cannot be used \(ERR_/);
});

test('bodies are searched, packed or not, and nothing of them is said', async (t) => {
  const text = `${'x'.repeat(200_000)} secret answer`;
  const packers: Readonly<Record<string, (text: string) => Buffer>> = {
    plain: (body) => Buffer.from(body),
    gzip: (body) => gzipSync(body),
    'deflate?raw': (body) => deflateRawSync(body),
    deflate: (body) => deflateSync(body),
    br: (body) => brotliCompressSync(body),
  };
  const url = await serve(t, (request, response) => {
    const kind = request.url?.slice(1) ?? '';
    const encoding = kind.replace('?raw', '');
    response.writeHead(200, encoding === 'plain' ? {} : { 'Content-Encoding': encoding }).end(packers[kind]?.(text) ?? text);
  });
  for (const kind of Object.keys(packers)) {
    assert.equal(await look(`${url}/${kind}`, { expect_body: 'secret' }), 'ok', kind);
    assert.equal(await look(`${url}/${kind}`, { expect_body: '/SECRET a.swer$/i', reject_body: 'error' }), 'ok', kind);
    assert.equal(await look(`${url}/${kind}`, { expect_body: 'other' }), 'failing: the body lacks "other"', kind);
    assert.equal(await look(`${url}/${kind}`, { reject_body: '/secr[e]t/' }), 'failing: the body matches /secr[e]t/', kind);
  }
  assert.equal(await look(`${url}/zstd`), 'ok', 'nobody asks for the body');
  assert.equal(await look(`${url}/zstd`, { expect_body: 'x' }), 'unknown: the body is packed in a way that is not understood');
  assert.equal(
    await look(`${url}/plain`, { expect_body: '/^(x+)+$/' }),
    'unknown: matching the body against /^(x+)+$/ takes too long',
  );
});

test('a body that is not what its header says', async (t) => {
  const url = await raw(t, 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello');
  assert.equal(await look(url, { expect_body: 'x' }), 'failing: the body cannot be unpacked');
});

test('a bomb is not unpacked, and does not cost memory', async (t) => {
  // 1 GiB of zeros, packed twice as a thousand-fold.
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const all = Buffer.concat(Array.from({ length: 16 }, () => bomb));
  const url = await serve(t, (_request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(all));
  assert.equal(await look(url, { expect_body: 'x' }), 'failing: the body lacks "x"');
  assert.equal(
    await look(url, { expect_json: 'a = 1' }),
    'unknown: the body is longer than 1 MiB, too long to be read as JSON',
  );
  const long = await serve(t, (_request, response) => {
    response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(`{"a": 1, "b": "${'x'.repeat(1_100_000)}"}`));
  });
  assert.equal(
    await look(long, { expect_json: 'a = 1' }),
    'unknown: the body is longer than 1 MiB, too long to be read as JSON',
  );
  // Packed bytes that unpack to nothing.
  const empty = gzipSync('');
  const endless = await raw(t, 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n', (socket) => {
    const block = Buffer.concat(Array.from({ length: 10_000 }, () => empty));
    const more = (): void => void socket.write(block, (error) => error ?? more());
    more();
  });
  assert.equal(await look(endless, { expect_body: 'x' }), 'failing: the body lacks "x"');
});

test('an answer that comes too slowly, or not at all', async (t) => {
  const drip = (socket: import('node:net').Socket): void => {
    const timer = setInterval(() => socket.write('x'), 50);
    socket.on('close', () => clearInterval(timer));
  };
  const late = 'failing: no complete answer within 1.5 s';
  assert.equal(await look(await raw(t, ''), {}, 1500), late);
  assert.equal(await look(await raw(t, 'HTTP/1.1 200 OK\r\nX-Long: ', drip), {}, 1500), late, 'a head byte by byte');
  const body = 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n';
  assert.equal(await look(await raw(t, body, drip), {}, 1500), late, 'a body byte by byte');
});

test('connections that fail', async (t) => {
  const reset = await raw(t, '', (socket) => socket.resetAndDestroy());
  assert.equal(await look(reset), 'failing: the connection was reset or closed before the answer (ECONNRESET)');
  const half = await raw(t, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', (socket) => socket.resetAndDestroy());
  assert.equal(await look(half), 'failing: the connection broke in the middle of the body');
  const cut = await raw(t, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', (socket) => socket.end());
  assert.equal(await look(cut), 'failing: the connection broke in the middle of the body');
  assert.equal(await look('http://127.0.0.1:1'), 'failing: ECONNREFUSED');
  assert.match(await look('http://no-such-host.invalid'), /^unknown: no-such-host\.invalid could not be resolved: /);
  assert.match(await look(await raw(t, 'SSH-2.0-OpenSSH_9\r\n')), /^failing: HPE_/);
  const long = await raw(t, `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`);
  assert.equal(await look(long), 'failing: HPE_HEADER_OVERFLOW');
  assert.match(await look(await raw(t, 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')), /^failing: /);
});

test('JSON must meet all conditions', async (t) => {
  const json = {
    status: 'ok',
    n: 3,
    list: [{ id: 'a' }, 2],
    none: null,
    yes: true,
    text: '3',
    __proto: {},
    deep: { a: { b: 1 } },
  };
  const url = await serve(t, (request, response) => response.end(request.url === '/no' ? '{' : JSON.stringify(json)));
  const one = (text: string) => look(url, { expect_json: text });
  for (const text of [
    'status = ok',
    'status = "ok"',
    'status != down',
    'n = 3',
    'n = 3.0',
    'n > 2',
    'n < 4',
    'n != 4',
    'list.0.id = a',
    'list.1 = 2',
    'length(list) = 2',
    'length(list) > 1',
    'length(status) = 2',
    'length() > 3',
    'none = null',
    'yes = true',
    'text = 3',
    'text = "3"',
    'deep.a.b=1',
    'exists(none)',
    'exists(nothing) = false',
    'exists(toString) = false',
    'exists(list.length) = false',
    'exists(status.length) = false',
    'exists(constructor.name) = false',
  ])
    assert.equal(await one(text), 'ok', text);
  for (const text of ['status = down', 'n = "3"', 'n > 3', 'text > 2', 'list = 2', 'exists(nothing)', 'yes = "true"'])
    assert.equal(await one(text), `failing: the JSON of the answer does not meet ${text}`, text);
  assert.equal(await one('a.b = 1'), 'failing: the JSON of the answer does not meet a.b = 1: there is no such value');
  assert.equal(await one('length(n) = 1'), 'failing: the JSON of the answer does not meet length(n) = 1: it has no length');
  const all = { expect_json: 'n = 3', 'expect_json.2': 'yes = true', 'expect_json.9': 'status = down' };
  assert.equal(await look(url, all), 'failing: the JSON of the answer does not meet status = down');
  assert.equal(await look(`${url}/no`, { expect_json: 'n = 3' }), 'failing: the body is not JSON');
});

test('a response time that is too long', async (t) => {
  const url = await serve(t, (_request, response) => setTimeout(() => response.end(), 1100));
  assert.match(await look(url, { max_response_time: '1' }), /^failing: answered in \d+(\.\d+)? s \(expected at most 1 s\)$/);
  assert.equal(await look(url, { max_response_time: '100' }), 'ok');
});

test('redirects are followed, but not for ever, and secrets stay with their host', async (t) => {
  const seen: IncomingMessage[] = [];
  const other = await serve(t, (request, response) => response.end(void seen.push(request)));
  let loops = 0;
  const url = await serve(t, (request, response) => {
    if (request.url === '/loop') loops++;
    const [, path = '', to = ''] = /^\/(\w+)\??(.*)$/.exec(request.url ?? '') ?? [];
    const status = /^\d{3}$/.test(path) ? Number(path) : 302;
    if (path === 'end') response.end(`${request.method} ${request.headers.authorization} ${request.headers['x-token']}`);
    else response.writeHead(status, { Location: path === 'loop' ? '/loop' : decodeURIComponent(to) }).end();
  });
  const secret = { auth_user: 'me', auth_password: 'pw', 'header.X-Token': 'hunter2' };
  const sent = `Basic ${btoa('me:pw')} hunter2`;
  assert.equal(await look(`${url}/302?/end`, { ...secret, expect_body: `GET ${sent}` }), 'ok');
  assert.equal(await look(`${url}/302?/end`, { redirects: '0' }), 'failing: status 302 (expected 2xx)');
  assert.equal(await look(`${url}/302?/end`, { redirects: '0', status: '302' }), 'ok');
  assert.equal(await look(`${url}/loop`), 'failing: more than 5 redirects');
  assert.equal(loops, 6);
  const post = { method: 'POST', body: 'b' };
  assert.equal(await look(`${url}/307?/end`, { ...post, expect_body: 'POST' }), 'ok');
  assert.equal(await look(`${url}/303?/end`, { ...post, expect_body: 'GET' }), 'ok');
  const away = encodeURIComponent(other.replace('//', '//evil:user@'));
  assert.equal(await look(`${url}/302?${away}`, secret), 'ok');
  assert.equal(seen[0]?.headers.authorization, undefined);
  assert.equal(seen[0]?.headers['x-token'], undefined);
  assert.equal(await look(`${url}/307?${away}`, post), 'failing: redirected to another host, to which the body is not sent');
  assert.equal(await look(`${url}/302?file:///etc/passwd`), 'failing: redirected to a URL that is not http or https');
  assert.equal(await look(`${url}/302?http://`), 'failing: redirected to something that is not a URL');
  assert.equal(seen.length, 1);
});

test('certificates', { skip: missing('openssl') }, async (t) => {
  const good = await serveTls(t, well);
  assert.equal(await look(good.url, { ca_file: good.ca, expect_body: 'well' }), 'ok');
  assert.equal(await look(good.url), 'failing: the certificate of 127.0.0.1 is signed by an unknown authority');
  assert.equal(await look(good.url, { tls: 'off' }), 'ok');
  assert.match(
    await look(good.url, { ca_file: good.ca, certificate_days: '101' }),
    /^ok \| certificate warning: the certificate of 127\.0\.0\.1 ends on 20\d\d-\d\d-\d\d$/,
  );
  const soon = await serveTls(t, well, ['IP:127.0.0.1'], 3);
  assert.match(
    await look(soon.url, { ca_file: soon.ca }),
    /^ok \| certificate warning: the certificate of 127\.0\.0\.1 ends on /,
  );
  assert.equal(await look(soon.url, { ca_file: soon.ca, certificate_days: '0' }), 'ok');
  assert.match(
    await look(soon.url, { ca_file: soon.ca, status: '404' }),
    /^failing: status 200 \(expected 404\) \| certificate warning: the certificate of 127\.0\.0\.1 ends on /,
    'neither hides the other',
  );
  const wrong = await serveTls(t, well, ['DNS:other.example']);
  assert.equal(await look(wrong.url, { ca_file: wrong.ca }), 'failing: the certificate of 127.0.0.1 is for another host');
  const over = await serveTls(t, well, ['IP:127.0.0.1'], -1);
  assert.equal(await look(over.url, { ca_file: over.ca }), 'failing: the certificate of 127.0.0.1 has expired');
  assert.match(await look(over.url, { tls: 'off' }), /^ok \| certificate warning: the certificate of 127\.0\.0\.1 ended on /);
  // Of every hop.
  const hop = await serveTls(
    t,
    (_request, response) => response.writeHead(302, { Location: good.url }).end(),
    ['IP:127.0.0.1'],
    3,
  );
  assert.match(await look(hop.url, { tls: 'off' }), /^ok \| certificate warning: the certificate of 127\.0\.0\.1 ends on /);
});

test('never from https to http', { skip: missing('openssl') }, async (t) => {
  const plain = await serve(t, () => assert.fail('it was asked'));
  const { url, ca } = await serveTls(t, (_request, response) => response.writeHead(301, { Location: plain }).end());
  assert.equal(await look(url, { ca_file: ca }), 'failing: redirected from https to http');
});

test('our own certificate is shown, and only to the host that is configured', { skip: missing('openssl') }, async (t) => {
  const shown: boolean[] = [];
  const asks = { requestCert: true, rejectUnauthorized: false };
  const note: RequestListener = (request, response) => {
    shown.push((request.socket as TLSSocket).getPeerX509Certificate() !== undefined);
    response.end();
  };
  const other = await serveTls(t, note, ['IP:127.0.0.1'], 100, asks);
  const { url, dir } = await serveTls(
    t,
    (request, response) => {
      shown.push((request.socket as TLSSocket).getPeerX509Certificate() !== undefined);
      response.writeHead(302, { Location: other.url }).end();
    },
    ['IP:127.0.0.1'],
    100,
    asks,
  );
  const own = { client_cert: join(dir, 'server.pem'), client_key: join(dir, 'server.key') };
  assert.equal(await look(url, { tls: 'off', ...own }), 'ok');
  assert.deepEqual(shown, [true, false]);
});

test('IPv6, and only the addresses that are wanted', async (t) => {
  const url = await serve(t, well, '::1');
  assert.equal(await look(url, { ip: '6' }), 'ok');
  const four = await serve(t, well);
  const { port } = new URL(four);
  assert.equal(await look(`http://localhost:${port}`, { ip: '4' }), 'ok');
  assert.match(
    await look(`http://localhost:${port}`, { ip: '6' }),
    /^(failing: ECONNREFUSED|unknown: localhost has no IPv6 address)$/,
  );
  assert.deepEqual(problemsWith(urlCheck, { url, ip: '4' }), ['ip: the host of the URL is an IPv6 address']);
});

test('a whole section, as it is in a file', () => {
  const text = `
[check.shop]
url = https://me@shop.example.com/health?x=1
header.X-Token = "a;b # c"
body = {"a": "x;y"}
status = 2xx, 304
expect_json = status = ok
expect_json.9 = exists(data.id)
max_response_time = 2.5
ip = 4
`;
  const { work, shownUrl } =
    urlCheck.parse(loadConfigText('/config.ini', text).section('check.shop')) ?? assert.fail('it cannot be used');
  assert.equal(shownUrl, 'https://shop.example.com/health');
  assert.equal(work.url, 'https://shop.example.com/health?x=1');
  assert.equal(work.auth, 'me:');
  assert.deepEqual(work.headers, [['X-Token', 'a;b # c']]);
  assert.equal(Buffer.from(work.body ?? '', 'base64').toString(), '{"a": "x;y"}');
  assert.deepEqual(work.status, [
    [200, 299],
    [304, 304],
  ]);
  assert.deepEqual(
    work.expectJson.map((one) => one.text),
    ['status = ok', 'exists(data.id)'],
  );
  assert.equal(work.mostMs, 2500);
  assert.equal(work.family, 4);
});

test('what is wrong with the keys is said, without secrets', () => {
  const url = 'https://example.com';
  const problems = (keys: Keys) => problemsWith(urlCheck, { url, ...keys });
  assert.deepEqual(problemsWith(urlCheck, {}), [
    'url: is missing: type = url needs a url, http://HOST[:PORT][/PATH] or https://…',
  ]);
  for (const [keys, problem] of [
    [{ url: 'ftp://hunter2@x' }, /^url: invalid URL/],
    [{ url: 'https://a:%hunter2@x' }, /^url: invalid URL: a %/],
    [{ 'header.A B': 'hunter2' }, /^header\.A B: invalid name/],
    [{ 'header.A': 'hunter2\r\nX: y' }, /^header\.A: the value holds a character that no header can hold$/],
    [{ 'header.Content-Length': '5' }, /^header\.Content-Length: this header belongs to the connection/],
    [{ 'header.a': '1', 'header.A': '2' }, /^header\.A: this header is set twice/],
    [{ auth_password: 'hunter2' }, /^auth_password: it needs auth_user/],
    [{ auth_user: 'a:b' }, /^auth_user: /],
    [{ auth_user: 'a', auth_password: 'hunter2', auth_password_file: '/x' }, /^auth_password_file: auth_password is set too/],
    [{ url: 'https://a:hunter2@x', auth_user: 'b' }, /^auth_user: the URL has a user too/],
    [{ body: 'hunter2', body_file: '/x' }, /^body_file: body is set too/],
    [{ body_file: 'x' }, /^body_file: invalid value, expected an absolute path/],
    [{ client_cert: '/x' }, /^client_cert: client_cert and client_key are needed together/],
    [{ client_key: '/x' }, /^client_key: client_cert and client_key are needed together/],
    [{ method: 'HEAD', expect_body: 'x' }, /^expect_body: an answer to HEAD has no body/],
    [{ status: '2yy' }, /^status: /],
    [{ expect_json: 'a' }, /^expect_json: invalid value, expected PATH/],
    [{ 'expect_json.2': 'a > b' }, /^expect_json\.2: invalid value, > needs a number/],
    [{ expect_json: `${'a.'.repeat(20)}b = 1` }, /^expect_json: invalid value, the path has more than 20 names/],
    [{ expect_json: 'a..b = 1' }, /^expect_json: invalid value, the path is/],
    [{ expect_json: 'exists(a) > 1' }, /^expect_json: invalid value, exists/],
  ] as const) {
    const found = problems(keys);
    assert.equal(found.length, 1, JSON.stringify(keys));
    assert.match(found[0] ?? '', problem);
    assert.doesNotMatch(found[0] ?? '', /hunter2/);
  }
});

/** The server sends this again and again, as fast as it is taken. */
function endlessly(piece: Buffer): (socket: import('node:net').Socket) => void {
  return (socket) => {
    const send = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', send);
    send();
  };
}

test('a body in millions of pieces, and interim answers without end, do not end the worker', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const pieces = await raw(t, head, endlessly(Buffer.from('1\r\nx\r\n'.repeat(10_000))));
  assert.equal(await look(pieces), 'failing: the body comes in too many pieces');
  const interim = await raw(t, 'HTTP/1.1 103 x\r\n\r\n', endlessly(Buffer.from('HTTP/1.1 103 x\r\n\r\n'.repeat(5000))));
  assert.equal(await look(interim), 'failing: more than 20 interim answers (1xx)');
  // The same worker: it would have failed the test.
  assert.equal(await look(await serve(t, well)), 'ok');
});

test('where a redirect leads is not said', async (t) => {
  const url = await serve(t, (_request, response) =>
    response.writeHead(302, { Location: 'http://cleared-by-root.invalid/' }).end(),
  );
  const said = await look(url);
  assert.match(said, /^unknown: redirected: the other host could not be resolved/);
  assert.doesNotMatch(said, /cleared/);
});

test('conditions as other languages write them are refused', () => {
  for (const wrong of ['status == ok', '$.id = 7', 'items[0] = 1', 'length(items) >= 3'])
    assert.match(
      problemsWith(urlCheck, { url: 'http://x/', expect_json: wrong }).join(),
      /^expect_json: invalid value, /,
      wrong,
    );
});

test('JSON may begin with a byte order mark', async (t) => {
  const url = await serve(t, (_request, response) => response.end('\ufeff{"status":"ok"}'));
  assert.equal(await look(url, { expect_json: 'status = ok' }), 'ok');
});
