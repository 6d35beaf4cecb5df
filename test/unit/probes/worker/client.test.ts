import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../../helpers/process-zoo.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { never, openLiar, openWorker, procLink, tcpServer, tcpWork, type WorkerWorld } from '../../../helpers/worker-world.ts';

// The worker's process, and what the daemon makes of one that dies, hangs or lies.

/** Long enough for a busy machine. */
const LONG_MS = 30_000;

function ask({ worker }: WorkerWorld, port: number, timeoutMs = LONG_MS, signal = never) {
  return worker.ask(tcpWork(port), timeoutMs, signal);
}

test('it looks, as a process of its own without root, and without our environment', async (t) => {
  process.env.MONITOR_TEST_SECRET = 'hunter2';
  t.after(() => delete process.env.MONITOR_TEST_SECRET);
  const world = openWorker(t);
  const port = await tcpServer(t, () => {});
  assert.equal(world.started.length, 0, 'not before there is something to do');
  assert.deepEqual(await ask(world, port), { kind: 'ok' });
  const pid = await world.pid();
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  if (process.geteuid?.() === 0) {
    assert.match(status, /^Uid:\t(6[1-5]\d{3})\t\1\t\1\t\1$/m);
    assert.match(status, /^Gid:\t(6[1-5]\d{3})\t\1\t\1\t\1$/m);
    assert.match(status, /^Groups:\s*$/m);
    assert.match(status, /^CapPrm:\t0+$/m);
    assert.match(status, /^CapEff:\t0+$/m);
  }
  assert.equal(procLink(pid, 'cwd'), '/');
  assert.equal(readFileSync(`/proc/${pid}/environ`, 'utf8'), '');
  assert.deepEqual(await ask(world, 1), { kind: 'failing', reason: 'ECONNREFUSED' });
  assert.equal(world.started.length, 1, 'the same worker');
});

test('many pieces of work at once are answered each by its own', async (t) => {
  const world = openWorker(t);
  const port = await tcpServer(t, () => {});
  const kinds = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(world, i % 2 === 0 ? port : 1)));
  assert(kinds.every(({ kind }, i) => kind === (i % 2 === 0 ? 'ok' : 'failing')));
  assert.equal(world.started.length, 1);
});

test('killed, it is away for what it was doing, and is started again after a second', async (t) => {
  const world = openWorker(t);
  const connected = Promise.withResolvers<void>();
  const port = await tcpServer(t, () => connected.resolve());
  const waiting = world.worker.ask(tcpWork(port, { expect: { kind: 'text', text: 'x' } }), LONG_MS, never);
  await connected.promise;
  const first = await world.pid();
  process.kill(first, 'SIGKILL');
  assert.deepEqual(await waiting, { kind: 'away', reason: 'the worker has failed: it ended with SIGKILL' });
  const during = await ask(world, port);
  assert.equal(during.kind, 'away');
  assert.match(
    'reason' in during ? during.reason : '',
    /^the worker has failed \(it ended with SIGKILL\); it is started again in /,
  );
  await waitFor('a second worker', async () => (await ask(world, port)).kind === 'ok');
  assert.notEqual(await world.pid(), first);
  assert.deepEqual(world.troubles, []);
});

test('stopped in the middle (SIGSTOP), it is killed once its answer is overdue', async (t) => {
  const world = openWorker(t);
  const port = await tcpServer(t, () => {});
  assert.equal((await ask(world, port)).kind, 'ok');
  const pid = await world.pid();
  // A worker that has just answered counts as busy.
  await delay(2100);
  process.kill(pid, 'SIGSTOP');
  assert.deepEqual(await ask(world, port, 500), {
    kind: 'away',
    reason: 'the worker has failed: it has not answered within 2.5 s',
  });
  await waitFor('its end', () => !isAlive(pid));
});

test('what nobody waits for is given up', async (t) => {
  const world = openWorker(t);
  const closed = Promise.withResolvers<void>();
  const giveUp = new AbortController();
  const port = await tcpServer(t, (socket) => {
    socket.on('close', closed.resolve);
    giveUp.abort();
  });
  const answer = world.worker.ask(tcpWork(port, { expect: { kind: 'text', text: 'x' } }), 100_000, giveUp.signal);
  assert.deepEqual(await answer, { kind: 'away', reason: 'aborted' });
  await closed.promise;
});

test('stopped by us, it is gone, and nothing waits for it', async (t) => {
  const world = openWorker(t);
  const connected = Promise.withResolvers<void>();
  const port = await tcpServer(t, () => connected.resolve());
  const waiting = world.worker.ask(tcpWork(port, { expect: { kind: 'text', text: 'x' } }), LONG_MS, never);
  await connected.promise;
  const pid = await world.pid();
  world.worker.stop();
  assert.deepEqual(await waiting, { kind: 'away', reason: 'the worker has failed: the worker was stopped' });
  await waitFor('its end', () => !isAlive(pid));
  assert.deepEqual(await ask(world, port), { kind: 'away', reason: 'the worker was stopped' });
  assert.deepEqual(world.troubles, []);
});

test('it ends when the daemon has gone, whatever it does', async (t) => {
  const world = openWorker(t);
  const connected = Promise.withResolvers<void>();
  const port = await tcpServer(t, () => connected.resolve());
  const waiting = world.worker.ask(tcpWork(port, { expect: { kind: 'text', text: 'x' } }), 110_000, never);
  await connected.promise;
  const beganMs = performance.now();
  world.started[0]?.socket.destroy();
  assert.equal(await world.started[0]?.ended, 'it ended with exit code 0');
  assert.equal((await waiting).kind, 'away');
  assert(performance.now() - beganMs < 100_000, 'before its work was over');
});

test('more than a thousand pieces at once are not taken', async (t) => {
  const world = openWorker(t);
  const giveUp = new AbortController();
  const port = await tcpServer(t, () => {});
  const work = tcpWork(port, { expect: { kind: 'text', text: 'x' } });
  const all = Array.from({ length: 1001 }, () => world.worker.ask(work, 100_000, giveUp.signal));
  assert.deepEqual(await all[1000], { kind: 'away', reason: 'the worker has too much to do' });
  giveUp.abort();
  assert((await Promise.all(all.slice(0, 1000))).every((answer) => 'reason' in answer && answer.reason === 'aborted'));
});

test('three deaths within a minute are trouble, which is said once', async (t) => {
  const world = openLiar(t, 'onOrder(() => process.exit(7));');
  for (const end = performance.now() + 60_000; world.started.length < 4 && performance.now() < end; ) {
    assert.equal((await ask(world, 1)).kind, 'away');
    await delay(50);
  }
  assert.deepEqual(world.troubles, [
    'the worker for checks of the network has failed 3 times within 60 s, last: it ended with exit code 7',
  ]);
});

/** What a worker that answers so is called, and that it is killed for it. */
async function lie(t: Parameters<typeof openLiar>[0], script: string): Promise<string> {
  const world = openLiar(t, script);
  const answer = await ask(world, 1);
  assert.equal(answer.kind, 'away');
  await world.started[0]?.ended;
  return 'reason' in answer ? answer.reason : '';
}

for (const [what, script, reason] of [
  ['a wrong kind', "onOrder(({ id }) => answer({ id, kind: 'broken' }));", /kind: expected ok or failing or unknown/],
  ['an id that is not a number', "onOrder(() => answer({ id: '1', kind: 'ok' }));", /id: expected a whole number/],
  [
    'a reason that is an object',
    "onOrder(({ id }) => answer({ id, kind: 'failing', reason: {} }));",
    /reason: expected a text/,
  ],
  ['a long reason', "onOrder(({ id }) => answer({ id, kind: 'failing', reason: 'x'.repeat(501) }));", /at most 500 characters/],
  ['something that is not JSON', "onOrder(() => write('hello\\n'));", /expected an object, got nothing/],
  ['a list', 'onOrder(() => answer([]));', /expected an object, got a list/],
  ['a line without an end', "onOrder(() => write('x'.repeat(65537)));", /a line of more than 64 KiB$/],
  [
    'endless answers for nobody',
    "onOrder(() => { for (let id = 1e9; id < 1e9 + 500; id++) answer({ id, kind: 'ok' }); });",
    /more answers than it was asked for$/,
  ],
] as const) {
  test(`a worker that sends ${what} is ended`, async (t) => {
    assert.match(await lie(t, script), reason);
  });
}

test('ids of others are ignored, and a second answer too', async (t) => {
  const world = openLiar(
    t,
    `onOrder(({ id }) => {
      answer({ id: id + 1000, kind: 'ok' });
      answer({ id, kind: 'failing', reason: 'first\\u001b[31m\\u200b' });
      answer({ id, kind: 'ok' });
    });`,
  );
  for (let i = 0; i < 3; i++) assert.deepEqual(await ask(world, 1), { kind: 'failing', reason: 'first?[31m' });
  assert.equal(world.started.length, 1);
});

test('what an answer has besides its shape is left out', async (t) => {
  const world = openLiar(t, "onOrder(({ id }) => answer({ id, kind: 'ok', process: 'sshd', reason: 'x', isWarning: true }));");
  assert.deepEqual(await ask(world, 1), { kind: 'ok' });
});

test('a program that cannot be started is said to be so', async (t) => {
  const world = openWorker(t, async () => ({ kind: 'not_started', reason: 'no such program' }));
  assert.deepEqual(await ask(world, 1), {
    kind: 'away',
    reason: 'the worker has failed: it could not be started: no such program',
  });
});
