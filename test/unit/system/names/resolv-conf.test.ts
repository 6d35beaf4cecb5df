import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fullNames, readResolvConf } from '../../../../src/system/names/dns/resolv-conf.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const usual = { servers: ['127.0.0.1'], namesNone: true, search: [], ndots: 1, timeoutMs: 5000, attempts: 2, noIpv6: false };

test('an empty file, or none, asks this machine, with glibc’s patience', (t) => {
  assert.deepEqual(parsed(t, '', 'host'), usual);
  const { search: _, ...read } = readResolvConf(join(tempDir(t), 'none'));
  const { search: __, ...rest } = usual;
  assert.deepEqual(read, rest);
});

test('servers, domains and options, with comments between them', (t) => {
  const text = [
    '# made by hand',
    '; and another comment',
    'nameserver 192.0.2.1',
    'nameserver\t2001:db8::1   # a remark',
    'search corp.example.test  lab.example.test.',
    'options ndots:2 timeout:3 edns0',
    'options attempts:4 no-aaaa',
    '',
  ].join('\n');
  assert.deepEqual(parsed(t, text, 'host.other.test'), {
    servers: ['192.0.2.1', '2001:db8::1'],
    namesNone: false,
    search: ['corp.example.test', 'lab.example.test'],
    ndots: 2,
    timeoutMs: 3000,
    attempts: 4,
    noIpv6: true,
  });
});

test('of many servers the first three are asked, of domain and search the last one counts', (t) => {
  const servers = Array.from({ length: 9 }, (_, i) => `nameserver 192.0.2.${i + 1}`).join('\n');
  const { servers: asked, search } = parsed(t, `${servers}\nsearch a.test b.test\ndomain c.test\n`, 'host');
  assert.deepEqual(asked, ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
  assert.deepEqual(search, ['c.test']);
  assert.deepEqual(parsed(t, 'domain c.test\nsearch a.test b.test', 'host').search, ['a.test', 'b.test']);
});

test('without a domain that of the host is searched; the root does not count', (t) => {
  assert.deepEqual(parsed(t, 'nameserver 192.0.2.1', 'web.corp.example.test').search, ['corp.example.test']);
  assert.deepEqual(parsed(t, 'search .', 'web.corp.example.test').search, []);
});

test('line ends of Windows, a link-local server and no line end at all', (t) => {
  const { servers, search, ndots } = parsed(
    t,
    'nameserver fe80::1%eth0\r\nsearch a.test\r\noptions ndots:3\r\nnameserver 192.0.2.9',
    'host',
  );
  assert.deepEqual(servers, ['fe80::1%eth0', '192.0.2.9']);
  assert.deepEqual(search, ['a.test']);
  assert.equal(ndots, 3);
});

test('invalid lines are skipped, and numbers are cut to what glibc accepts', (t) => {
  const junk = [
    'nameserver ns.example.test',
    'nameserver',
    ' nameserver 192.0.2.7',
    'nameservers 192.0.2.8',
    'nameserver 999.1.1.1',
    '\0\u0001\u00ff',
    'options ndots: timeout:x attempts:-1 ndots',
    'search',
    `search ${'a'.repeat(300)}`,
  ].join('\n');
  assert.deepEqual(parsed(t, junk, 'host'), usual);
  const cut = parsed(t, 'options ndots:99 timeout:999 attempts:0', 'host');
  assert.deepEqual([cut.ndots, cut.timeoutMs, cut.attempts], [15, 30_000, 1]);
  assert.equal(parsed(t, 'options timeout:0', 'host').timeoutMs, 1000);
  assert.equal(parsed(t, `search ${'a.test '.repeat(5000)}`, 'host').search.length, 32);
});

test('it is read again each time, and no further than a bound', (t) => {
  const file = join(tempDir(t), 'resolv.conf');
  writeFileSync(file, 'nameserver 192.0.2.1\n');
  assert.deepEqual(readResolvConf(file).servers, ['192.0.2.1']);
  writeFileSync(file, `nameserver 192.0.2.2\n${'#'.repeat(10_000_000)}\nnameserver 192.0.2.3\n`);
  assert.deepEqual(readResolvConf(file).servers, ['192.0.2.2']);
});

test('a short name is searched first, one with enough dots last, one with a dot at its end not at all', () => {
  const conf = { search: ['a.test', 'b.test'], ndots: 1 };
  assert.deepEqual(fullNames('web', conf), ['web.a.test', 'web.b.test', 'web']);
  assert.deepEqual(fullNames('web.x', conf), ['web.x', 'web.x.a.test', 'web.x.b.test']);
  assert.deepEqual(fullNames('web.x', { ...conf, ndots: 2 }), ['web.x.a.test', 'web.x.b.test', 'web.x']);
  assert.deepEqual(fullNames('web.', conf), ['web']);
  assert.deepEqual(fullNames('web', { search: [], ndots: 1 }), ['web']);
  assert.deepEqual(fullNames('web', { search: ['a'.repeat(252)], ndots: 1 }), ['web'], 'too long to be asked for');
});

/** What a file with that text says on that machine. */
function parsed(t: TestContext, text: string, host: string) {
  const file = join(tempDir(t), 'resolv.conf');
  writeFileSync(file, text);
  return readResolvConf(file, host);
}
