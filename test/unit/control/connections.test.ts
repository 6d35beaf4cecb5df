import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { ControlClient } from '../../../src/control/client.ts';
import { Connections, type Holder } from '../../../src/control/connections.ts';
import type { RecoverReply } from '../../../src/control/orders.ts';
import { startControl } from '../../helpers/control-world.ts';
import { endAfter } from '../../helpers/end-after.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const ROOT: Holder = { kind: 'root' };
const user = (uid: number | undefined): Holder => ({ kind: 'user', uid });

function world(): { connections: Connections; come: (holder: Holder) => Socket } {
  const connections = new Connections({ open: 8, busy: 6, busyOfUser: 3 });
  const come = (holder: Holder): Socket => {
    const socket = new Socket();
    connections.add(socket, holder);
    return socket;
  };
  return { connections, come };
}

test('orders of one user, and of all users together, leave root its places', () => {
  const { connections, come } = world();
  const answers = (holder: Holder, count: number) => Array.from({ length: count }, () => connections.markBusy(come(holder)));
  assert.deepEqual(answers(user(1), 4), [undefined, undefined, undefined, { kind: 'user', limit: 3 }]);
  // As many users as there are subordinate ids.
  assert.deepEqual(answers(user(2), 2), [undefined, undefined]);
  assert.deepEqual(answers(user(3), 2), [undefined, { kind: 'all', limit: 6 }]);
  assert.deepEqual(answers(user(undefined), 1), [{ kind: 'all', limit: 6 }]);
  assert.deepEqual(answers(ROOT, 6), [undefined, undefined, undefined, undefined, undefined, undefined]);
  assert.deepEqual(answers(ROOT, 1), [{ kind: 'all', limit: 6 }]);
});

test('who comes is not the one who goes, and takes no place of root’s, nor of one who has fewer', () => {
  const { connections, come } = world();
  const roots = [come(ROOT), come(ROOT)];
  const modest = come(user(1));
  const crowd = Array.from({ length: 20 }, () => come(user(2)));
  assert.deepEqual(
    crowd.map(({ destroyed }) => destroyed),
    crowd.map((_, i) => i < 13),
  );
  // Each with a number of its own: the oldest goes.
  const many = Array.from({ length: 20 }, (_, i) => come(user(100 + i)));
  assert.equal(many.at(-1)?.destroyed, false);
  assert.ok(roots.every(({ destroyed }) => !destroyed));
  assert.equal(modest.destroyed, true);
  // Those whose orders are being carried out stay.
  const busy = Array.from({ length: 2 }, () => {
    const one = come(user(7));
    assert.equal(connections.markBusy(one), undefined);
    return one;
  });
  for (let i = 0; i < 30; i++) assert.equal(come(user(7)).destroyed, false);
  assert.ok(busy.every(({ destroyed }) => !destroyed));
});

test('a member of the group who waits for hundreds of recoveries locks nobody out', {
  ...asRoot,
  timeout: 60_000,
}, async (t) => {
  const ends: ((reply: RecoverReply) => void)[] = [];
  const recover = (): Promise<RecoverReply> => new Promise((resolve) => ends.push(resolve));
  const { socket } = await startControl(t, { recover }, { group: '4711' });
  chmodSync(dirname(socket), 0o755);
  const child = spawn(process.execPath, ['-e', CROWD, socket], { uid: 4711, gid: 4711, stdio: ['pipe', 'pipe', 'inherit'] });
  endAfter(t, child);
  let answers = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    answers += text;
  });
  await waitFor('his orders', () => ends.length === 64 && answers.split('\n').length === 301 - 64);
  for (const line of answers.trim().split('\n')) assert.match(line, /^409 .*64 orders of one user are under way/);
  const daemon = new ControlClient(socket);
  assert.equal((await daemon.status()).pid, 4711);
  const roots = Array.from({ length: 20 }, () => daemon.recover('b'));
  await waitFor("root's orders", () => ends.length === 84);
  for (const end of ends) end({ kind: 'failed', reason: 'why' });
  for (const reply of await Promise.all(roots)) assert.equal(reply.kind, 'failed');
});

const CROWD = `
  const { request } = require('node:http');
  const body = '{"name":"a"}';
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
  const ask = () => new Promise((resolve) => {
    const asked = request({ socketPath: process.argv[1], method: 'POST', path: '/v1/recoveries', headers, agent: false });
    asked.on('error', (error) => { console.log(error.code); resolve(); });
    asked.on('response', (response) => {
      response.setEncoding('utf8').on('data', (text) => console.log(response.statusCode + ' ' + text.trim()));
      response.on('end', resolve);
    });
    asked.end(body);
    // Once it is under way the next may come.
    setTimeout(resolve, 5);
  });
  (async () => { for (let i = 0; i < 300; i++) await ask(); })();
`;
