import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { socketOwner } from '../../../../src/system/native/socket-owner.ts';
import { endAfter } from '../../../helpers/end-after.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

async function listen(t: TestContext): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '::');
  await once(server, 'listening');
  t.after(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

/** The connection that comes next: its far end and ours. */
async function nextOf(
  t: TestContext,
  server: Server,
): Promise<readonly [near: Parameters<typeof socketOwner>[0], far: Parameters<typeof socketOwner>[0]]> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
  return [
    { address: remoteAddress, port: remotePort },
    { address: localAddress, port: localPort },
  ];
}

test('a connection from this machine is of the user who made it, whatever address it came by', async (t) => {
  const { server, port } = await listen(t);
  for (const host of ['127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1']) {
    const client = connect({ host, port });
    const [near, far] = await nextOf(t, server);
    assert.equal(socketOwner(near, far), process.geteuid?.(), host);
    assert.equal(socketOwner(near, { ...far, port: 9 }), undefined, 'another connection');
    assert.equal(socketOwner({ ...near, port: 9 }, far), undefined, 'not the socket that listens');
    // One that sends no more is still there; one that is closed is nobody's, and not root's.
    client.end();
    await once(client, 'finish');
    assert.equal(socketOwner(near, far), process.geteuid?.(), host);
    client.destroy();
    await waitFor('it is closed', () => socketOwner(near, far) === undefined);
  }
});

test("another user's is his", asRoot, async (t) => {
  const { server, port } = await listen(t);
  const script = `const socket = require('node:net').connect(${port}, '127.0.0.1'); process.stdin.on('data', () => socket.destroy());`;
  const child = spawn(process.execPath, ['-e', script], { uid: 65534, gid: 65534, stdio: ['pipe', 'ignore', 'inherit'] });
  endAfter(t, child);
  const [near, far] = await nextOf(t, server);
  assert.equal(socketOwner(near, far), 65534);
  child.stdin.write('close');
  await waitFor('it is closed', () => socketOwner(near, far) === undefined);
});

test('what is not an address, or not of this machine, is nobody’s', () => {
  for (const address of ['', 'x', '1.2.3', '192.0.2.7', '2001:db8::1', 'fe80::1%eth0', '256.1.1.1'])
    assert.equal(socketOwner({ address, port: 1 }, { address: '127.0.0.1', port: 2 }), undefined, address);
  assert.equal(socketOwner({ address: '2001:db8::1', port: 1 }, { address: '2001:db8::2', port: 2 }), undefined);
});
