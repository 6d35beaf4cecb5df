import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { createControlClient } from '../../../src/control/client.ts';
import type { RecoverReply } from '../../../src/control/orders/recover.ts';
import { startControl } from '../../helpers/control-world.ts';
import { endAfter } from '../../helpers/end-after.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { waitFor } from '../../helpers/wait-for.ts';

test('a member of the group who waits for hundreds of recoveries locks nobody out', {
  ...asRoot,
  timeout: 300_000,
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
  const daemon = createControlClient(socket);
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
