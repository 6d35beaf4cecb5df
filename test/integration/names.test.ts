import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { chmodSync, closeSync, open, openSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { connectByName, knownAddresses } from '../../src/system/names/connect.ts';
import { type NameAnswer, NameResolver } from '../../src/system/names/resolver.ts';
import { type DnsServer, dnsServer } from '../helpers/dns-server.ts';
import { look, noCommands, onlyCheck } from '../helpers/health-world.ts';
import { leftovers } from '../helpers/leftovers.ts';
import { ownNamesNeed, withOwnNames } from '../helpers/own-names.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait-for.ts';

// Names of hosts, looked for on real sockets, in real files and by the real getent.

const never = new AbortController().signal;

/** A resolver that knows nothing but what the test gives it. */
function resolver(
  t: TestContext,
  options: ConstructorParameters<typeof NameResolver>[0] & { readonly conf?: string; readonly hosts?: string } = {},
) {
  const dir = tempDir(t);
  const { conf = 'search none.test\n', hosts = '', ...rest } = options;
  writeFileSync(join(dir, 'resolv.conf'), conf);
  writeFileSync(join(dir, 'hosts'), hosts);
  const files = { resolvConf: join(dir, 'resolv.conf'), hostsFile: join(dir, 'hosts') };
  return { dir, ...files, names: new NameResolver({ ...files, getent: 'false', ...rest }) };
}

function addresses(answer: NameAnswer): string[] {
  return answer.kind === 'resolved' ? answer.addresses.map(({ address }) => address) : [answer.code];
}

async function silentDns(t: TestContext): Promise<DnsServer> {
  return dnsServer(t, {}, 'silent');
}

test('addresses are their own names, and localhost is this machine', async (t) => {
  const dns = await dnsServer(t);
  const { names } = resolver(t, { servers: [dns.address] });
  const found = async (name: string) => addresses(await names.resolve(name, 5000, never));
  assert.deepEqual(await found('192.0.2.1'), ['192.0.2.1']);
  assert.deepEqual(await found('2001:db8::1'), ['2001:db8::1']);
  assert.deepEqual(await found('[2001:db8::1]'), ['2001:db8::1']);
  assert.deepEqual(await found('fe80::1%lo'), ['fe80::1%lo']);
  for (const name of ['localhost', 'LocalHost', 'localhost.', 'app.localhost'])
    assert.deepEqual((await found(name)).toSorted()[0], '127.0.0.1');
  assert.deepEqual(dns.asked, [], 'nobody was asked');
});

test('what the hosts file says of localhost counts if it is this machine', async (t) => {
  const { names } = resolver(t, { hosts: '127.0.0.5 localhost\n192.0.2.1 localhost\n192.0.2.2 evil.localhost\n' });
  assert.deepEqual(addresses(await names.resolve('localhost', 5000, never)), ['127.0.0.5']);
  const below = addresses(await names.resolve('evil.localhost', 5000, never));
  assert.ok(below.includes('127.0.0.1') && !below.includes('192.0.2.2'));
});

test('the hosts file comes before DNS, and is read again each time', async (t) => {
  const dns = await dnsServer(t, { 'db.example.test': ['192.0.2.9'] });
  const { names, hostsFile } = resolver(t, { servers: [dns.address], hosts: '192.0.2.1 db.example.test\n' });
  assert.deepEqual(addresses(await names.resolve('DB.example.test', 5000, never)), ['192.0.2.1']);
  writeFileSync(hostsFile, '');
  assert.deepEqual(addresses(await names.resolve('db.example.test', 5000, never)), ['192.0.2.9']);
});

test('DNS: both families, one only, none, over TCP, and its faults', async (t) => {
  const dns = await dnsServer(t, {
    'both.example.test': ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
    'six.example.test': ['2001:db8::1'],
    'empty.example.test': [],
    'long.example.test': { truncated: Array.from({ length: 100 }, (_, i) => `192.0.2.${i}`) },
    'ill.example.test': 'servfail',
    'shut.example.test': 'refused',
    'quiet.example.test': 'silent',
    'xn--mnchen-3ya.test': ['192.0.2.7'],
  });
  const { names } = resolver(t, { servers: [dns.address] });
  const ask = (name: string, ms = 20_000) => names.resolve(name, ms, never);
  assert.deepEqual(addresses(await ask('both.example.test')).toSorted(), ['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  assert.deepEqual(addresses(await ask('six.example.test')), ['2001:db8::1']);
  assert.deepEqual(addresses(await ask('empty.example.test')), ['ENOTFOUND']);
  assert.equal(addresses(await ask('long.example.test')).length, 32, 'over TCP, and no more than anybody tries');
  assert.deepEqual(addresses(await ask('münchen.test')), ['192.0.2.7']);
  const reasons = {
    'none.example.test': /^there is no such name/,
    'ill.example.test': /SERVFAIL/,
    'shut.example.test': /REFUSED/,
  };
  for (const [name, reason] of Object.entries(reasons)) {
    const answer = await ask(name);
    assert.match(answer.kind === 'unresolved' ? answer.reason : '', reason);
  }
  assert.deepEqual(await ask('quiet.example.test', 400), {
    kind: 'unresolved',
    code: 'ETIMEOUT',
    reason: 'no DNS server has answered within 0.4 s; false ended with exit code 1',
  });
});

test('what cannot be a name is asked of nobody', async (t) => {
  const dns = await dnsServer(t);
  const { names } = resolver(t, { servers: [dns.address] });
  for (const name of ['', '.', 'a b', 'a..b', 'x\n', 'a\0b', '$(id)', `${'a'.repeat(64)}.test`, 'a.'.repeat(200), '🙂 x'])
    assert.deepEqual(addresses(await names.resolve(name, 5000, never)), ['ENOTFOUND'], JSON.stringify(name));
  assert.deepEqual(dns.asked, []);
});

test('one server that is silent, or that fails, does not hide the next', async (t) => {
  const [silent, ill] = [await silentDns(t), await dnsServer(t, {}, 'servfail')];
  const well = await dnsServer(t, { 'web.example.test': ['192.0.2.1'] });
  const servers = [silent.address, ill.address, well.address];
  const { names } = resolver(t, { servers });
  assert.deepEqual(addresses(await names.resolve('web.example.test', 20_000, never)), ['192.0.2.1']);
  assert.ok(silent.asked.length > 0 && ill.asked.length > 0);
});

test('a query that was lost is asked again', async (t) => {
  const dns = await dnsServer(t, { 'web.example.test': 'silent' });
  const { names } = resolver(t, { servers: [dns.address], conf: 'search none.test\noptions timeout:1\n' });
  const asking = names.resolve('web.example.test', 20_000, never);
  await waitFor('it is asked', () => dns.asked.length >= 2);
  dns.names.set('web.example.test', ['192.0.2.1']);
  assert.deepEqual(addresses(await asking), ['192.0.2.1']);
});

test('short names are searched, as resolv.conf says at that moment', async (t) => {
  const dns = await dnsServer(t, { 'web.b.test': ['192.0.2.1'], 'web.x.b.test': ['192.0.2.2'], web: ['192.0.2.3'] });
  const { names, resolvConf } = resolver(t, { servers: [dns.address], conf: 'search a.test b.test\n' });
  const found = async (name: string) => {
    dns.asked.length = 0;
    return addresses(await names.resolve(name, 20_000, never));
  };
  const asked = (): string[] =>
    dns.asked.filter((question) => question.endsWith(' 4')).map((question) => question.slice(0, -2));
  assert.deepEqual(await found('web'), ['192.0.2.1']);
  assert.deepEqual(asked(), ['web.a.test', 'web.b.test']);
  assert.deepEqual(await found('web.x'), ['192.0.2.2']);
  assert.deepEqual(asked(), ['web.x', 'web.x.a.test', 'web.x.b.test']);
  assert.deepEqual(await found('web.'), ['192.0.2.3']);
  assert.deepEqual(asked(), ['web']);
  writeFileSync(resolvConf, 'options ndots:2\nsearch b.test\n');
  assert.deepEqual(await found('web.x'), ['192.0.2.2']);
  assert.deepEqual(asked(), ['web.x.b.test']);
});

test('getent is asked what DNS does not know, also if DNS is dead; an option is a name to it', async (t) => {
  const [dead, well] = [await silentDns(t), await dnsServer(t)];
  const { dir, names } = resolver(t, { servers: [dead.address] });
  const file = join(dir, 'getent');
  // What it is given, and an answer for one name.
  writeFileSync(
    file,
    `#!/bin/sh\nprintf '%s|' "$@" "$RES_OPTIONS" >>${dir}/seen\necho >>${dir}/seen\n[ "$2" = only.nss.test ] || exit 2\n` +
      'printf "192.0.2.5       STREAM only.nss.test\\n192.0.2.5       DGRAM  \\n2001:db8::5     STREAM \\nnonsense STREAM\\n"\n',
  );
  chmodSync(file, 0o755);
  const ask = (servers: readonly string[], name: string) =>
    resolver(t, { servers, getent: file }).names.resolve(name, 20_000, never);
  assert.deepEqual(addresses(await ask([dead.address], 'only.nss.test')).toSorted(), ['192.0.2.5', '2001:db8::5']);
  assert.deepEqual(addresses(await ask([well.address], 'only.nss.test')).toSorted(), ['192.0.2.5', '2001:db8::5']);
  assert.deepEqual(addresses(await ask([well.address], '--version')), ['ENOTFOUND']);
  const ill = await dnsServer(t, {}, 'servfail');
  assert.deepEqual(addresses(await ask([ill.address], 'only.nss.test')).length, 2);
  assert.deepEqual(readFileSync(join(dir, 'seen'), 'utf8').trim().split('\n'), [
    'ahosts|only.nss.test|attempts:0|',
    'ahosts|only.nss.test|attempts:0|',
    'ahosts|--|--version|attempts:0|',
    'ahosts|only.nss.test|timeout:1 attempts:1|',
  ]);
  assert.equal(addresses(await names.resolve('only.nss.test', 300, never))[0], 'ETIMEOUT');
});

test('the real getent knows what is in /etc/hosts, which we do not read there; it takes an option as a name', async (t) => {
  const listed = readFileSync('/etc/hosts', 'utf8').matchAll(/^[\d.]+[ \t]+([\w.-]+)/gm);
  const name = [...listed].map(([, first = '']) => first).find((first) => !first.includes('localhost'));
  const dns = await silentDns(t);
  const { names } = resolver(t, { servers: [dns.address], getent: 'getent' });
  if (name !== undefined) assert.equal((await names.resolve(name, 20_000, never)).kind, 'resolved', name);
  const answer = await names.resolve('--help', 2000, never);
  assert.equal(answer.kind, 'unresolved');
});

test('many who ask for one name share a child; an abort and the end of the time leave nothing behind', async (t) => {
  const dns = await silentDns(t);
  const { dir, names } = resolver(t, { servers: [dns.address], children: 4 });
  const file = join(dir, 'getent');
  symlinkSync('/bin/sleep', join(dir, 'sleep'));
  writeFileSync(file, `#!/bin/sh\necho >>${dir}/begun\nexec ${dir}/sleep 1000\n`);
  chmodSync(file, 0o755);
  const hanging = new NameResolver({ servers: [dns.address], children: 4, getent: file, hostsFile: join(dir, 'hosts') });
  const begun = (): number => (readdirSync(dir).includes('begun') ? readFileSync(join(dir, 'begun'), 'utf8').length : 0);
  const end = new AbortController();
  const asked = Array.from({ length: 20 }, () => hanging.resolve('one.example.test', 600_000, end.signal));
  await waitFor('the child', () => begun() > 0);
  end.abort();
  for (const answer of await Promise.all(asked)) assert.equal(answer.kind, 'unresolved');
  assert.equal(begun(), 1);
  const many = Array.from({ length: 9 }, (_, i) => hanging.resolve(`dead${i}.example.test`, 1500, never));
  let most = 0;
  const count = setInterval(() => {
    most = Math.max(most, leftovers(dir).length);
  }, 20);
  await Promise.all(many);
  clearInterval(count);
  assert.ok(most >= 1 && most <= 4, `${most} children at once`);
  await waitFor('every child has gone', () => leftovers(dir).length === 0);
  assert.equal(addresses(await names.resolve('x.example.test', 200, never))[0], 'ETIMEOUT');
});

test('all of it works while every thread of the pool hangs', async (t) => {
  const dir = tempDir(t);
  const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
  const fifos = Array.from({ length: threads + 1 }, (_, i) => join(dir, `fifo${i}`));
  execFileSync('mkfifo', fifos);
  const site = createServer((_, response) => response.end('well'));
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => site.close());
  const { port } = site.address() as AddressInfo;
  const dns = await dnsServer(t, { 'web.example.test': ['127.0.0.1'] });
  const { names } = resolver(t, { servers: [dns.address], hosts: '127.0.0.1 listed.example.test\n', getent: 'getent' });
  // One more than there are threads: none is free, and it stays so until they are let go.
  let opened = 0;
  const hanging = fifos.map(
    (fifo) =>
      new Promise<void>((resolve) =>
        open(fifo, 'r', (_, fd) => {
          opened++;
          closeSync(fd);
          resolve();
        }),
      ),
  );
  const check = (host: string) =>
    look(onlyCheck({ health_check_url: `http://${host}:${port}/`, health_check_body: 'well' }, { ...noCommands, names }));
  for (const host of ['localhost', 'listed.example.test', 'web.example.test'])
    assert.deepEqual(await check(host), { kind: 'healthy' }, host);
  const unknown = await check('none.example.test');
  assert.equal(unknown.kind === 'not_proved' && unknown.reason, 'none.example.test could not be resolved');
  const socket = connectByName(names, { host: 'web.example.test', port }, 20_000);
  await once(socket, 'connect');
  socket.destroy();
  assert.equal(opened, 0, 'every thread hung all the while');
  for (const fifo of fifos) {
    const fd = await waitFor('a reader', () => {
      try {
        return openSync(fifo, 'r+');
      } catch {
        return undefined;
      }
    });
    t.after(() => closeSync(fd));
  }
  await Promise.all(hanging);
});

test('a connection by name: of the family that is asked for, ended with its socket, its fault in words', async (t) => {
  const dns = await dnsServer(t, { 'web.example.test': ['127.0.0.1'], 'quiet.example.test': 'silent' });
  const { names } = resolver(t, { servers: [dns.address] });
  const server = createTcpServer((socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const socket = connectByName(names, { host: 'web.example.test', port }, 20_000);
  await once(socket, 'connect');
  socket.destroy();
  const [error] = await once(connectByName(names, { host: 'none.example.test', port }, 20_000), 'error');
  assert.deepEqual(
    [error.message, error.code],
    ['none.example.test could not be resolved: there is no such name; false ended with exit code 1', 'ENOTFOUND'],
  );
  const given = connectByName(names, { host: 'quiet.example.test', port }, 600_000);
  await waitFor('it is asked', () => dns.asked.includes('quiet.example.test 4'));
  given.destroy();
  await once(given, 'close');
  const both = knownAddresses([
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]);
  const looked = (options: object): Promise<unknown> =>
    new Promise((resolve) => both('any', options, (fault, found, family) => resolve(fault?.message ?? [found, family])));
  assert.deepEqual(await looked({ family: 6 }), ['::1', 6]);
  assert.deepEqual(await looked({ family: 'IPv4' }), ['127.0.0.1', 4]);
  assert.deepEqual(((await looked({ all: true })) as [LookupAddress[]])[0].length, 2);
});

test('names of nsswitch.conf alone are found beside six that nobody answers for', ownNamesNeed, async (t) => {
  const dead = await dnsServer(t, {}, 'silent', { host: '127.0.0.101', port: 53 }).catch(() => undefined);
  if (dead === undefined) return t.skip('port 53 of 127.0.0.101 is taken');
  const lost = Array.from({ length: 6 }, (_, i) => `dead${i}.hang.test`);
  const names = [...lost, 'good.nss.test', 'listed.example.test', 'localhost'];
  const way = withOwnNames(t, {
    resolv: ['nameserver 127.0.0.101'],
    // Behind DNS, as RHEL has myhostname.
    sources: 'files dns nss',
    hosts: ['127.0.0.9 listed.example.test'],
  });
  const program = join(import.meta.dirname, '../fixtures/names/resolve.ts');
  const [command = '', ...args] = [...way, process.execPath, program, '6000', ...names];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const round of ['first', 'second']) {
    const { value = '{}' } = await lines.next();
    const answers = JSON.parse(value) as Record<string, { found: string; ms: number }>;
    assert.equal(answers['good.nss.test']?.found, '127.0.0.1', `${round}: ${value}`);
    assert.equal(answers['listed.example.test']?.found, '127.0.0.9');
    assert.match(answers.localhost?.found ?? '', /127\.0\.0\.1/);
    for (const name of lost) assert.equal(answers[name]?.found, 'ETIMEOUT');
    assert.ok((answers['good.nss.test']?.ms ?? 9999) < (answers[lost[0] ?? '']?.ms ?? 0), 'long before the others give up');
    if (round === 'first') child.stdin.write('again\n');
    else child.stdin.end();
  }
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes('.hang.test'));
  assert.deepEqual(left, []);
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
