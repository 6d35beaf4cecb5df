import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { routes } from '../../../src/control/routes.ts';
import { peerUid } from '../../../src/system/native/peer.ts';
import { httpText, rawExchange, startControl } from '../../helpers/control-world.ts';
import { asRoot } from '../../helpers/requirement.ts';

const NOBODY = 65534;

/** Speaks as another user, whom the socket's group lets in: what came back. */
const CLIENT = `
const { connect } = require('node:net');
const connection = connect(process.argv[1]);
connection.pipe(process.stdout);
connection.write(process.argv[2]);
`;

test('members of the socket’s group may give orders, except those that only root may give', asRoot, async (t) => {
  const { socket, calls } = await startControl(t, {}, { group: String(NOBODY) });
  chmodSync(dirname(socket), 0o755);
  const asNobody = async (text: string): Promise<string> => {
    const run = promisify(execFile)(process.execPath, ['-e', CLIENT, socket, text], { uid: NOBODY, gid: NOBODY });
    return (await run).stdout;
  };
  assert.match(await asNobody(httpText('GET', '/v1/status')), /^HTTP\/1\.1 200 /);
  calls.length = 0;
  const body = JSON.stringify({ name: 'app', digest: 'd'.repeat(64) });
  for (const request of [
    httpText('GET', '/v1/pins'),
    httpText('GET', '/v1/pins?name=app'),
    httpText('POST', '/v1/pins', body),
    httpText('POST', '/v1/pins/remove', '{"all":true}'),
  ]) {
    const answer = await asNobody(request);
    assert.match(answer, /^HTTP\/1\.1 403 /);
    assert.match(answer, /"code":"denied","message":"only root may give this order/);
  }
  assert.deepEqual(calls, []);
  assert.equal((await rawExchange(socket, httpText('POST', '/v1/pins', body))).status, 200);
});

test('every route for pins is root’s alone', () => {
  const others = routes.filter(({ path, rootOnly }) => /pin/.test(path) !== (rootOnly === true));
  assert.deepEqual(others, []);
});

test('whose a connection is the kernel says; of one that is closed, or no Unix socket, nobody does', async (t) => {
  const seen: Socket[] = [];
  const server = createServer((connection) => seen.push(connection)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  await new Promise((resolve) => server.once('connection', resolve));
  const [overTcp] = seen;
  assert.ok(overTcp);
  assert.equal(peerUid(overTcp), undefined);
  overTcp.destroy();
  assert.equal(peerUid(overTcp), undefined);
  client.destroy();
});
