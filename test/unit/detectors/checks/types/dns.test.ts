import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { systemClock } from '../../../../../src/core/clock.ts';
import { dnsCheck } from '../../../../../src/detectors/checks/types/dns.ts';
import { askServers } from '../../../../../src/probes/dns/ask.ts';
import { lookAtDns } from '../../../../../src/probes/dns/look.ts';
import { Worker } from '../../../../../src/probes/worker/client.ts';
import { workerProgram } from '../../../../../src/probes/worker/program.ts';
import { directStarter } from '../../../../../src/probes/worker/start-direct.ts';
import { dnsServer } from '../../../../helpers/dns-server.ts';
import { freePort } from '../../../../helpers/free-port.ts';
import { type Keys, lookOnce, problemsWith, targetOf } from '../../../../helpers/network-check.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';
import { listening, never } from '../../../../helpers/worker-world.ts';

// Questions of a real worker to DNS servers of the test, good ones and hostile ones.

let worker: Worker;
before(() => {
  worker = new Worker({ start: directStarter(workerProgram()), clock: systemClock, onTrouble: assert.fail });
});
after(() => worker.stop());

const look = (keys: Keys, timeoutMs?: number): Promise<string> => lookOnce(targetOf(dnsCheck, keys, worker), timeoutMs);

/** A name as it is sent. */
function wire(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.from([0])]);
}

const number = (...values: number[]): Buffer => Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));

/** A server that does as the test says; its address. */
async function hostile(
  t: TestContext,
  onQuestion: (query: Buffer, send: (answer: Buffer) => void) => void,
  onConnection: (socket: Socket) => void = () => {},
): Promise<string> {
  const port = await listening(t, createServer(onConnection));
  const udp = createSocket('udp4').on('message', (query, { port: to, address }) => {
    onQuestion(query, (answer) => udp.send(answer, to, address));
  });
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  t.after(() => udp.close());
  return `127.0.0.1:${port}`;
}

/** What answers `query` with one address; `flags`: as in its head. */
function answerTo(query: Buffer, { flags = 0x8180, change = (_answer: Buffer): void => {} } = {}): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const rest = Buffer.concat([number(0xc00c, 1, 1, 0, 60, 4), Buffer.from([192, 0, 2, 1])]);
  const answer = Buffer.concat([query.subarray(0, 2), number(flags, 1, 1, 0, 0), query.subarray(12, end), rest]);
  change(answer);
  return answer;
}

test('all that is expected has to be there, and more may be', async (t) => {
  const { address: server } = await dnsServer(t, {
    'www.example.test': ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
    'long.example.test': { truncated: ['192.0.2.9'] },
  });
  const name = 'www.example.test';
  assert.equal(await look({ name, server }), 'ok');
  assert.equal(await look({ name: 'WWW.example.TEST.', server, expect: '192.0.2.2' }), 'ok');
  assert.equal(await look({ name, server, expect: '192.0.2.2, 192.0.2.1' }), 'ok');
  assert.equal(
    await look({ name, server, expect: '192.0.2.3, 192.0.2.1' }),
    'failing: the answer lacks 192.0.2.3: it is 192.0.2.1, 192.0.2.2',
  );
  assert.equal(await look({ name, server, record: 'aaaa', expect: '2001:0DB8:0:0::1' }), 'ok');
  assert.equal(
    await look({ name, server, record: 'AAAA', expect: '2001:db8::2' }),
    'failing: the answer lacks 2001:db8::2: it is 2001:db8::1',
  );
  // Over TCP.
  assert.equal(await look({ name: 'long.example.test', server, expect: '192.0.2.9' }), 'ok');
  const { description } = targetOf(dnsCheck, { name, server: '[2001:db8::1]', record: 'MX' }, worker);
  assert.equal(description, 'dns www.example.test MX at [2001:db8::1]:53');
});

test('every record that can be asked for', async (t) => {
  const mx = (priority: number, host: string): [number, Buffer] => [15, Buffer.concat([number(priority), wire(host)])];
  const txt = (...parts: string[]): [number, Buffer] => [
    16,
    Buffer.concat(parts.flatMap((part) => [Buffer.from([part.length]), Buffer.from(part)])),
  ];
  const soa = Buffer.concat([wire('NS1.example.test'), wire('root.example.test'), number(0, 77, 0, 1, 0, 1, 0, 1, 0, 1)]);
  const records = [
    mx(10, 'Mail.example.test'),
    mx(20, 'spare.example.test'),
    [5, wire('target.example.test')],
    [2, wire('ns1.example.test')],
    [33, Buffer.concat([number(1, 2, 5060), wire('sip.example.test')])],
    txt('v=DMARC1; rua=mailto:a@example.test,', 'mailto:b@example.test'),
    [6, soa],
  ] as const;
  const { address: server } = await dnsServer(t, {
    'example.test': { records },
    '1.2.0.192.in-addr.arpa': { records: [[12, wire('www.example.test')]] },
    [`1${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.ip6.arpa`]: { records: [[12, wire('six.example.test')]] },
  });
  const asked = (record: string, expect: string, name = 'example.test') => look({ name, server, record, expect });
  assert.equal(await asked('MX', 'mail.example.test., 20  SPARE.example.test'), 'ok');
  assert.equal(
    await asked('MX', '20 mail.example.test'),
    'failing: the answer lacks "20 mail.example.test": it is 10 mail.example.test, 20 spare.example.test',
  );
  assert.equal(await asked('CNAME', 'target.example.test'), 'ok');
  assert.equal(await asked('NS', 'ns1.example.test'), 'ok');
  assert.equal(await asked('SRV', 'sip.example.test:5060, sip.example.test, 1 2 5060 sip.example.test'), 'ok');
  assert.equal(
    await asked('SRV', 'sip.example.test:5061'),
    'failing: the answer lacks sip.example.test:5061: it is 1 2 5060 sip.example.test',
  );
  assert.equal(await asked('TXT', 'v=DMARC1; rua=mailto:a@example.test,mailto:b@example.test'), 'ok');
  assert.match(await asked('TXT', 'v=DMARC1'), /^failing: the answer lacks "?v=DMARC1"?: it is "v=DMARC1; rua=/);
  assert.equal(await asked('SOA', 'ns1.example.test, 77'), 'ok');
  assert.equal(await asked('PTR', 'www.example.test', '192.0.2.1'), 'ok');
  assert.equal(await asked('PTR', 'six.example.test', '2001:db8::1'), 'ok');
});

test('answers that say no', async (t) => {
  const { address: server } = await dnsServer(t, {
    'v4.example.test': ['192.0.2.1'],
    'broken.example.test': 'servfail',
    'secret.example.test': 'refused',
  });
  assert.equal(await look({ name: 'none.example.test', server }), 'failing: none.example.test does not exist (NXDOMAIN)');
  assert.equal(await look({ name: 'v4.example.test', server, record: 'AAAA' }), 'failing: v4.example.test has no AAAA record');
  assert.equal(
    await look({ name: 'broken.example.test', server }),
    `failing: server ${server} could not find it out (SERVFAIL)`,
  );
  assert.equal(await look({ name: 'secret.example.test', server }), `failing: server ${server} refused the question (REFUSED)`);
});

test('a server that is silent, slow, or not there', async (t) => {
  const { address: silent } = await dnsServer(t, {}, 'silent');
  const name = 'www.example.test';
  assert.equal(await look({ name, server: silent }, 500), 'failing: no answer within 0.5 s');
  // After the question was asked for the second time, the answer to the first one counts all the same.
  let questions = 0;
  const slow = await hostile(t, (query, send) => {
    questions++;
    if (questions === 1) setTimeout(() => send(answerTo(query)), 6000);
  });
  assert.equal(await look({ name, server: slow }, 11_000), 'ok');
  assert.equal(questions, 2);
  const closed = `127.0.0.1:${await freePort()}`;
  assert.equal(await look({ name, server: closed }), `failing: server ${closed} cannot be reached (ECONNREFUSED)`);
});

test('what keeps us from asking says nothing about the server', async (t) => {
  const server = '255.255.255.255:53';
  assert.equal(await look({ name: 'example.test', server }), `unknown: server ${server} cannot be reached from here: EACCES`);
  const work = { type: 'dns', name: 'example.test', record: 'A', server: undefined, expect: [] } as const;
  assert.deepEqual(await lookAtDns(work, 1000, never, `${tempDir(t)}/resolv.conf`), {
    kind: 'unknown',
    reason: 'resolv.conf has no server',
  });
});

test('of several servers any that answers is enough', async (t) => {
  const { address: silent } = await dnsServer(t, {}, 'silent');
  const { address: broken } = await dnsServer(t, {}, 'servfail');
  const good = await dnsServer(t, { 'www.example.test': ['192.0.2.1'] });
  const ask = (servers: string[], timeoutMs: number) =>
    askServers({ name: 'www.example.test', record: 'A', servers, timeoutMs }, never);
  assert.deepEqual(await ask([silent, good.address], 4000), { kind: 'answered', answer: ['192.0.2.1'] });
  // At once: its share of the time is 50 s.
  assert.deepEqual(await ask([broken, good.address], 100_000), { kind: 'answered', answer: ['192.0.2.1'] });
  assert.deepEqual(await ask([broken, broken], 100_000), { kind: 'fault', code: 'ESERVFAIL', server: broken });
  assert.deepEqual(await ask([silent, broken], 1000), { kind: 'fault', code: 'ESERVFAIL', server: broken });
  assert.equal(await ask([silent, silent], 300), undefined);
  const closed = `127.0.0.1:${await freePort()}`;
  assert.deepEqual(await ask([broken, closed], 100_000), { kind: 'fault', code: 'ESERVFAIL', server: broken });
  assert.equal(
    await askServers({ name: 'a.test', record: 'A', servers: [silent], timeoutMs: 100_000 }, AbortSignal.abort()),
    undefined,
  );
});

test('servers that lie, send garbage, or never come to an end', async (t) => {
  const name = 'www.example.test';
  const late = 'failing: no answer within 0.7 s';
  const lies: [what: string, change: (answer: Buffer) => void][] = [
    ['another id', (answer) => answer.writeUInt8((answer[0] ?? 0) ^ 1, 0)],
    ['another name', (answer) => answer.write('x', 13)],
  ];
  for (const [what, change] of lies) {
    const server = await hostile(t, (query, send) => send(answerTo(query, { change })));
    assert.equal(await look({ name, server }, 700), late, what);
  }
  const garbage = await hostile(t, (_query, send) => send(Buffer.from('220 mail.example.test ESMTP')));
  assert.equal(await look({ name, server: garbage }), `failing: what server ${garbage} answers is not DNS`);
  // It says that it has 65535 records.
  const more = await hostile(t, (query, send) =>
    send(answerTo(query, { change: (answer) => answer.writeUInt16BE(65_535, 6) })),
  );
  assert.equal(await look({ name, server: more }), `failing: what server ${more} answers is not DNS`);
  const truncated = (query: Buffer, send: (answer: Buffer) => void) => send(answerTo(query, { flags: 0x8380 }));
  const drip = await hostile(t, truncated, (socket) => {
    socket.write(Buffer.from([0xff]));
    const timer = setInterval(() => socket.write(Buffer.from([0])), 20);
    socket.on('close', () => clearInterval(timer));
  });
  assert.equal(await look({ name, server: drip }, 700), late);
  const closes = await hostile(t, truncated, (socket) => socket.destroy());
  assert.match(await look({ name, server: closes }, 700), /^failing: /);
});

test('an answer as large as DNS can make it is cut where it is shown, and controls nothing', async (t) => {
  const addresses = Array.from({ length: 3000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
  const text = Buffer.from('\x1b[31m\r\n'.padEnd(255, 'x'));
  const { address: server } = await dnsServer(t, {
    'many.example.test': { truncated: addresses },
    'text.example.test': { records: [[16, Buffer.concat([Buffer.from([255]), text])]] },
  });
  assert.equal(await look({ name: 'many.example.test', server, expect: '10.0.11.183' }), 'ok');
  assert.equal(
    await look({ name: 'many.example.test', server, expect: '192.0.2.1' }),
    'failing: the answer lacks 192.0.2.1: it is 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3 and 2996 more',
  );
  const shown = await look({ name: 'text.example.test', server, record: 'TXT', expect: 'y' });
  assert.match(shown, /^failing: the answer lacks y: it is "\\u001b\[31m\\r\\nx+…$/);
});

test('what is wrong with the keys is said', () => {
  assert.deepEqual(problemsWith(dnsCheck, {}), ['name: is missing: type = dns needs a name, such as www.example.org']);
  assert.deepEqual(problemsWith(dnsCheck, { name: 'a b', record: 'ANY', server: 'ns1.example.test' }), [
    'record: invalid value "ANY", expected one of A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT',
    'name: invalid value "a b", expected a host name',
    'server: invalid value "ns1.example.test", expected an address, such as 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53',
  ]);
  assert.deepEqual(problemsWith(dnsCheck, { name: '192.0.2.1' }), ['name: invalid value "192.0.2.1", expected a host name']);
  const wrong = (record: string, expect: string) => problemsWith(dnsCheck, { name: 'a', record, expect });
  assert.deepEqual(wrong('A', '::1'), ['expect: invalid value "::1", expected IPv4 addresses (record = A)']);
  assert.deepEqual(wrong('AAAA', '::1, 1.2.3.4'), ['expect: invalid value "1.2.3.4", expected IPv6 addresses (record = AAAA)']);
  assert.deepEqual(wrong('MX', 'ten a'), ['expect: invalid value "ten a", expected names, or PRIORITY NAME (record = MX)']);
  assert.equal(wrong('SRV', '1 2 3 a:5').length, 1);
  assert.equal(wrong('TXT', 'anything, at all').length, 0);
});

test('a chain of names that leads to no record fails', async (t) => {
  const server = await hostile(t, (query, send) => {
    const end = query.indexOf(0, 12) + 5;
    const target = wire('nowhere.example.test');
    // CNAME alone.
    const rest = Buffer.concat([number(0xc00c, 5, 1, 0, 60, target.length), target]);
    send(Buffer.concat([query.subarray(0, 2), number(0x8180, 1, 1, 0, 0), query.subarray(12, end), rest]));
  });
  assert.equal(await look({ name: 'www.example.test', server }), 'failing: www.example.test has no A record');
});
