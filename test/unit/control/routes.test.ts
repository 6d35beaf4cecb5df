import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anyText, text } from '../../../src/control/shape.ts';
import { httpText, rawExchange, startControl } from '../../helpers/control-world.ts';

describe('the routes of the control socket', () => {
  it('carry every order to the daemon as it was given', async (t) => {
    const { socket, calls } = await startControl(t);
    const name = 'we"ird $(x) 名前 \u001b[31m';
    const orders: [string, string, object | undefined, unknown[]][] = [
      ['GET', '/v1/status', undefined, ['status']],
      ['GET', '/v1/holds', undefined, ['status']],
      ['POST', '/v1/recoveries', { name }, ['recover', name]],
      ['POST', '/v1/breakers/reset', { name }, ['resetBreakers', name]],
      ['POST', '/v1/breakers/reset', { all: true }, ['resetBreakers', undefined]],
      ['GET', `/v1/matches?name=${encodeURIComponent(name)}`, undefined, ['preview', name]],
      ['POST', '/v1/reload', {}, ['reload']],
      ['POST', '/v1/reload', undefined, ['reload']],
      ['POST', '/v1/holds', { name, forMs: 60_000, reason: 'upgrade' }, ['hold', name, 60_000, 'upgrade']],
      ['POST', '/v1/holds', { all: true }, ['hold', undefined, undefined, '']],
      ['POST', '/v1/holds/release', { name }, ['release', name]],
      ['POST', '/v1/holds/release', { all: true, name: undefined }, ['release', undefined]],
      ['GET', '/v1/uptime', undefined, ['uptime', undefined, undefined]],
      ['GET', `/v1/uptime?name=${encodeURIComponent(name)}&days=400`, undefined, ['uptime', name, 400]],
      ['GET', '/v1/checks', undefined, ['checks']],
      ['GET', '/v1/incidents', undefined, ['incidents', undefined]],
      ['GET', '/v1/incidents?limit=5', undefined, ['incidents', 5]],
      ['GET', '/v1/pins', undefined, ['pins', undefined]],
      ['GET', `/v1/pins?name=${encodeURIComponent(name)}`, undefined, ['pins', name]],
      ['POST', '/v1/pins', { name, digest: 'd'.repeat(64) }, ['pin', name, 'd'.repeat(64)]],
      ['POST', '/v1/pins/remove', { name }, ['unpin', name]],
      ['POST', '/v1/pins/remove', { all: true }, ['unpin', undefined]],
      ['POST', '/v1/alarms', { process: '12' }, ['alarm', '12', false, undefined]],
      ['POST', '/v1/alarms', { process: name, clear: true, notes: 'é\n' }, ['alarm', name, true, 'é\n']],
    ];
    for (const [method, path, body, expected] of orders) {
      calls.length = 0;
      const answer = await rawExchange(socket, httpText(method, path, body && JSON.stringify(body)));
      assert.equal(answer.status, 200, `${method} ${path}: ${answer.body}`);
      assert.deepEqual(calls, [expected]);
    }
  });

  it('turn refusals into their status', async (t) => {
    const codes = { invalid: 422, not_found: 404, conflict: 409, unavailable: 503, denied: 403 } as const;
    for (const [code, status] of Object.entries(codes) as [keyof typeof codes, number][]) {
      const { socket } = await startControl(t, { recover: async () => ({ kind: 'refused', code, reason: 'because' }) });
      const answer = await rawExchange(socket, httpText('POST', '/v1/recoveries', '{"name":"x"}'));
      assert.equal(answer.status, status);
      assert.deepEqual(JSON.parse(answer.body), { error: { code, message: 'because' } });
    }
  });

  it('call a bug a bug, and live on', async (t) => {
    const { socket, lines } = await startControl(t, { reload: async () => Promise.reject(new Error('oops')) });
    const answer = await rawExchange(socket, httpText('POST', '/v1/reload', '{}'));
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /oops/);
    assert.match(lines.join('\n'), /^error Internal error in the control socket: oops/);
    assert.equal((await rawExchange(socket, httpText('GET', '/v1/status'))).status, 200);
  });

  const json = (value: unknown): string => JSON.stringify(value);
  const bad: Record<string, [number, string]> = {
    'too many days': [400, httpText('GET', '/v1/uptime?days=401')],
    'an unknown path': [404, httpText('GET', '/v2/status')],
    'a longer path': [404, httpText('GET', '/v1/status/')],
    'an absolute target': [404, httpText('GET', 'http://localhost/v1/status')],
    'a property of objects as path': [404, httpText('GET', '/__proto__')],
    'the wrong method': [405, httpText('POST', '/v1/status', '{}')],
    'a method nobody has': [405, httpText('DELETE', '/v1/holds')],
    HEAD: [405, httpText('HEAD', '/v1/status')],
    'no content type': [415, httpText('POST', '/v1/reload', '{}', { 'Content-Type': '' })],
    'a form': [415, httpText('POST', '/v1/reload', '{}', { 'Content-Type': 'application/x-www-form-urlencoded' })],
    'another charset': [415, httpText('POST', '/v1/reload', '{}', { 'Content-Type': 'application/json; charset=utf-16' })],
    'no JSON': [400, httpText('POST', '/v1/reload', '{')],
    'JSON and more': [400, httpText('POST', '/v1/reload', '{} {}')],
    'a list': [400, httpText('POST', '/v1/reload', '[]')],
    null: [400, httpText('POST', '/v1/reload', 'null')],
    'deep nesting': [400, httpText('POST', '/v1/recoveries', `{"name":${'['.repeat(30_000)}${']'.repeat(30_000)}}`)],
    'an unknown key': [400, httpText('POST', '/v1/recoveries', json({ name: 'x', force: true }))],
    'a key of objects': [400, httpText('POST', '/v1/recoveries', '{"name":"x","__proto__":{}}')],
    'an inherited key': [400, httpText('POST', '/v1/recoveries', '{"constructor":"x"}')],
    'no name': [400, httpText('POST', '/v1/recoveries', '{}')],
    'no body where one is needed': [400, httpText('POST', '/v1/recoveries')],
    'an empty name': [400, httpText('POST', '/v1/recoveries', json({ name: '' }))],
    'a long name': [400, httpText('POST', '/v1/recoveries', json({ name: 'x'.repeat(1025) }))],
    'a number for a name': [400, httpText('POST', '/v1/recoveries', json({ name: 12 }))],
    'half a character': [400, httpText('POST', '/v1/recoveries', '{"name":"\\ud800"}')],
    'neither name nor all': [400, httpText('POST', '/v1/breakers/reset', '{}')],
    'name and all': [400, httpText('POST', '/v1/breakers/reset', json({ name: 'x', all: true }))],
    'all: false': [400, httpText('POST', '/v1/holds/release', json({ all: false }))],
    'a hold of no time': [400, httpText('POST', '/v1/holds', json({ name: 'x', forMs: 0 }))],
    'a hold of half a millisecond': [400, httpText('POST', '/v1/holds', json({ name: 'x', forMs: 0.5 }))],
    'a hold for ever and ever': [400, httpText('POST', '/v1/holds', json({ name: 'x', forMs: 1e300 }))],
    'a text for a switch': [400, httpText('POST', '/v1/alarms', json({ process: 'x', clear: 'yes' }))],
    'an unknown query key': [400, httpText('GET', '/v1/status?verbose=1')],
    'a query key twice': [400, httpText('GET', '/v1/matches?name=a&name=b')],
    'a query on a POST': [400, httpText('POST', '/v1/reload?now=1', '{}')],
    'a body on a GET': [400, httpText('GET', '/v1/status', '{}')],
    'invalid UTF-8': [
      400,
      `${httpText('POST', '/v1/recoveries', undefined, { 'Content-Type': 'application/json', 'Content-Length': '12' })}{"name":"\xff"}`,
    ],
    'a body over 64 KiB': [413, httpText('POST', '/v1/alarms', json({ process: 'x', notes: 'n'.repeat(70_000) }))],
    'an announced huge body': [413, httpText('POST', '/v1/alarms', undefined, { 'Content-Length': '99999999999' })],
    'a chunked body over 64 KiB': [
      413,
      `${httpText('POST', '/v1/reload', undefined, { 'Transfer-Encoding': 'chunked', 'Content-Type': 'application/json' })}${'10000\r\n'}${' '.repeat(0x10000)}\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    'headers over 8 KiB': [431, httpText('GET', '/v1/status', undefined, { Filler: 'x'.repeat(10_000) })],
    'two lengths': [400, 'POST /v1/reload HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    'length and chunks': [400, 'POST /v1/reload HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    'no HTTP': [400, 'restart nginx now\n'],
    TLS: [400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    zeros: [400, '\0'.repeat(5000)],
    'another protocol version': [400, 'GET /v1/status HTTP/9.9\r\n\r\n'],
  };
  for (const [what, [status, bytes]] of Object.entries(bad)) {
    it(`refuse ${what} with ${status}`, async (t) => {
      const { socket, calls } = await startControl(t);
      const answer = await rawExchange(socket, Buffer.from(bytes, what === 'invalid UTF-8' ? 'latin1' : 'utf8'));
      assert.equal(answer.status, status, answer.head + answer.body);
      if (what !== 'HEAD') {
        const { error } = JSON.parse(answer.body);
        assert.equal(typeof error.code, 'string');
        assert.match(error.message, /^[^\n]{5,200}$/);
      }
      if (status === 405) assert.match(answer.head, /^Allow: (GET|POST)(, (GET|POST))*$/m);
      assert.match(answer.head, /^Connection: close$/m);
      assert.deepEqual(calls, []);
    });
  }

  it('carry out one order a connection, and answer no second one', async (t) => {
    const { socket, calls } = await startControl(t);
    const one = httpText('POST', '/v1/recoveries', '{"name":"a"}');
    for (const more of [one, 'garbage\0\r\n\r\n', httpText('POST', '/v1/reload')]) {
      calls.length = 0;
      await rawExchange(socket, one + more);
      assert.ok(calls.length <= 1 && calls.every(([order]) => order === 'recover'), JSON.stringify(calls));
    }
  });
});

it('a text of an answer need not be valid Unicode, because a name in a database need not be; a text of an order must be', () => {
  const invalid = JSON.parse('"\\udcffA"');
  assert.equal(anyText(invalid, 'name'), invalid);
  assert.throws(() => text(100)(invalid, 'name'), /name is not valid Unicode text/);
});
