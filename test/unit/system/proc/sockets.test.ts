import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { endianness } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { internetAddress } from '../../../../src/system/proc/address.ts';
import { type ProcessSocket, SocketTables } from '../../../../src/system/proc/sockets.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';
import { missing, skipUnless } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const table = new ProcessTable();

test('this process’s own sockets, with both ends', async (t) => {
  const path = join(tempDir(t), 'a b.sock');
  const [tcp, tcpClient] = await listening(t, { host: '127.0.0.1', port: 0 });
  await listening(t, { path });
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => udp.close());
  await once(udp, 'listening');

  const sockets = table.read(process.pid, ['sockets'])?.sockets ?? [];
  const local = (port: number) => ({ localAddress: '127.0.0.1', localPort: port });
  const has = (expected: Readonly<Record<string, unknown>>, what: string) => {
    const found = sockets.some((socket) => Object.entries(expected).every(([key, v]) => Reflect.get(socket, key) === v));
    assert.ok(found, `${what}: ${JSON.stringify(sockets)}`);
  };
  const [serverPort, clientPort] = [tcp.port, tcpClient.port];
  has({ protocol: 'tcp', state: 'listen', ...local(serverPort), remoteAddress: undefined }, 'listener');
  has(
    { protocol: 'tcp', state: 'established', ...local(clientPort), remoteAddress: '127.0.0.1', remotePort: serverPort },
    'client',
  );
  has({ protocol: 'udp', state: 'unconnected', ...local(udp.address().port), remoteAddress: undefined }, 'datagrams');
  has({ protocol: 'unix', state: 'listen', path }, 'Unix listener');
  has({ protocol: 'unix', state: 'established', path }, 'accepted on the Unix listener');
  assert.ok(sockets.every(({ fd }, i) => fd > (sockets[i - 1]?.fd ?? -1)));
});

test('in another network namespace the process’s own tables count', { skip: missing('unshare') || needsRoot() }, async (t) => {
  const zoo = openZoo(t);
  const listen = `require('net').createServer().listen(4242, '127.0.0.1')`;
  const start = ['-n', 'sh', '-c', 'ip link set lo up; exec "$0" -e "$1"', process.execPath, listen];
  const pid = await zoo.start('/usr/bin/unshare', start);
  const seen = await waitFor('the listener', () =>
    table
      .list(['sockets'])
      .find((p) => p.pid === pid)
      ?.sockets?.find(({ protocol }) => protocol === 'tcp'),
  );
  assert.deepEqual({ ...seen, fd: 0 }, { fd: 0, protocol: 'tcp', state: 'listen', localAddress: '127.0.0.1', localPort: 4242 });
});

test('addresses as the kernel prints them', {
  skip: endianness() !== 'LE' && 'the texts are of a little-endian machine',
}, () => {
  const addresses: [string, string][] = [
    ['0100007F', '127.0.0.1'],
    ['00000000', '0.0.0.0'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000001000000', '::1'],
    ['0000000000000000FFFF00000100007F', '::ffff:127.0.0.1'],
    ['B80D01200000000000000000010000FF', '2001:db8::ff00:1'],
    ['B80D0120000001000100000001000000', '2001:db8:1::1:0:1'],
    ['B80D0120020001000400030006000500', '2001:db8:1:2:3:4:5:6'],
  ];
  for (const [hex, address] of addresses) assert.deepEqual(internetAddress(`${hex}:1F90`), { address, port: 8080 }, hex);
  for (const bad of ['', '0100007F', 'x:1', '01:1', '0100007F:', ':1']) assert.equal(internetAddress(bad), undefined, bad);
});

test('states, and lines that nobody’s socket belongs to', () => {
  const line = (state: string, inode: number) =>
    `   0: 0100007F:0050 0200007F:0051 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 20 4 30 10 -1`;
  const tables = {
    tcp: `  sl  local\n${line('06', 0)}\n${line('08', 70)}\n`,
    udp: `  sl  local\n${line('01', 71)}\n${line('07', 72)}`,
  };
  const states = heldIn(tables, [0, 70, 71, 72]).map(({ state }) => state);
  assert.deepEqual(states, ['close_wait', 'established', 'unconnected']);
});

test('paths of Unix sockets: blanks, abstract names, and line breaks that forge other sockets', () => {
  const text = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '0000000000000000: 00000002 00000000 00010000 0001 01 100 /run/a  b',
    '0000000000000000: 00000003 00000000 00000000 0001 03   101',
    '0000000000000000: 00000002 00000000 00000000 0002 01 102 @/tmp/x',
    '0000000000000000: 00000002 00000000 00010000 0001 01 103 /tmp/bad',
    '0000000000000000: 00000002 00000000 00010000 0001 01 100 /run/forged',
    '0000000000000000: 00000002 00000000 00010000 0001 01 105 /run/two',
    'lines: 1 2 3 4 5 6',
    '',
    '',
  ];
  const tables = {
    tcp: 'head\n   0: 0100007F:0050 00000000:0000 0A 0:0 0:0 0 0 0 104 1\n',
    unix: `${text.join('\n')}0000000000000000: 2 0 0 1 01 104 /not/tcp\n`,
  };
  const read = (inode: number) => heldIn(tables, [inode])[0];
  assert.equal(read(100), undefined, 'two claim it');
  assert.deepEqual(read(101), { fd: 9, protocol: 'unix', state: 'established' });
  assert.deepEqual(read(102), { fd: 9, protocol: 'unix', state: 'unconnected', path: '@/tmp/x' });
  assert.deepEqual(read(105), { fd: 9, protocol: 'unix', state: 'listen', path: '/run/two\nlines: 1 2 3 4 5 6\n' });
  assert.equal(read(104)?.protocol, 'tcp');
  const [plain] = heldIn({ unix: text.slice(0, 2).join('\n') }, [100]);
  assert.deepEqual(plain, { fd: 9, protocol: 'unix', state: 'listen', path: '/run/a  b' });
});

test('no table makes the parser throw', () => {
  const protocol = fc.constantFrom('tcp', 'tcp6', 'udp', 'udp6', 'unix' as const);
  const word = fc.oneof(fc.string(), fc.constantFrom(' ', '\n', '0A', '0100007F:0050', '7'));
  fc.assert(
    fc.property(protocol, fc.array(word), (kind, words) => {
      heldIn({ [kind]: `head\n${words.join(' ')}` }, [7]);
      heldIn({ [kind]: `head\n${ANY_INODE} ${words.join(' ')}` }, [7]);
    }),
  );
});

/** A line whose words up to the inode, 7, are those of any table. */
const ANY_INODE = '0: 0100007F:0050 0 00000000 01 01 7 0 0 7';

/** The sockets with these inodes, all held as descriptor 9, in tables of these texts. */
function heldIn(tables: Partial<Record<ProcessSocket['protocol'], string>>, inodes: readonly number[]): ProcessSocket[] {
  const files = {
    link: () => 'net:[1]',
    longText: (file: string) => ({ text: tables[basename(file) as ProcessSocket['protocol']] ?? '', whole: true }),
  };
  return new SocketTables(files).find(
    1,
    inodes.map((inode) => [9, inode]),
  );
}

function needsRoot(): string | false {
  return skipUnless(process.getuid?.() === 0 ? undefined : 'needs root');
}

/** A server and a client that is connected to it; their addresses. */
async function listening(
  t: TestContext,
  at: { host: string; port: number } | { path: string },
): Promise<[server: AddressInfo, client: AddressInfo]> {
  const server = createServer().listen(at);
  t.after(() => server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const address = server.address() as AddressInfo;
  const client = 'path' in at ? connect(at.path) : connect(address.port, at.host);
  t.after(() => client.destroy());
  await once(client, 'connect');
  await accepted;
  return [address, client.address() as AddressInfo];
}
