import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openDatagram } from '../../../../src/system/native/datagram.ts';
import { createNotifier } from '../../../../src/system/systemd/notify.ts';
import { bindDatagrams } from '../../../helpers/datagram-receiver.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

for (const [kind, address] of [
  ['path', (t: TestContext) => join(tempDir(t), 'notify')],
  ['abstract', () => `@monitor-test-${process.pid}-${Math.random()}`],
] as const) {
  test(`a whole life on a real socket: ${kind}`, (t) => {
    const path = address(t);
    const receiver = bindDatagrams(path);
    t.after(() => receiver.close());
    const notifier = createNotifier({ NOTIFY_SOCKET: path }, openDatagram, new FakeClock());
    notifier.ready();
    notifier.status('3 in alarm, 1 recovering, db ok');
    notifier.status('3 in alarm, 1 recovering, db ok');
    notifier.status('evil\nMAINPID=1');
    notifier.watchdog();
    notifier.reloading();
    notifier.ready();
    notifier.stopping();
    const received: string[] = [];
    for (let next = receiver.receive(); next !== undefined; next = receiver.receive()) received.push(String(next));
    assert.deepEqual(received, [
      'READY=1',
      'STATUS=3 in alarm, 1 recovering, db ok',
      'STATUS=evil MAINPID=1',
      'WATCHDOG=1',
      'RELOADING=1\nMONOTONIC_USEC=1000000000',
      'READY=1',
      'STOPPING=1',
    ]);
  });
}

test('while the queue is full nothing waits and nothing that matters is lost', async (t) => {
  const path = join(tempDir(t), 'notify');
  const receiver = bindDatagrams(path);
  t.after(() => receiver.close());
  const notifier = createNotifier({ NOTIFY_SOCKET: path }, openDatagram);
  for (let i = 0; i < 2_000; i++) {
    notifier.watchdog();
    notifier.status(`turn ${i}`);
  }
  notifier.ready();
  const received: string[] = [];
  await waitFor('the last one', () => {
    for (let next = receiver.receive(); next !== undefined; next = receiver.receive()) received.push(String(next));
    return received.at(-1) === 'READY=1';
  });
  assert.deepEqual(received.slice(-3), ['WATCHDOG=1', 'STATUS=turn 1999', 'READY=1']);
});

test('if nobody asked, nothing is opened', () => {
  for (const socket of [undefined, '', 'relative', 'vsock:2:1234', '/', '@']) {
    const env = socket === undefined ? {} : { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000000' };
    const notifier = createNotifier(env, () => assert.fail('opened'));
    notifier.ready();
    notifier.reloading();
    notifier.stopping();
    notifier.status('x');
    notifier.watchdog();
    assert.equal(notifier.watchdogIntervalMs, undefined);
  }
});

test('a systemd that went away harms nobody, and gets what is new when it is back', (t) => {
  const path = join(tempDir(t), 'notify');
  const sent: string[] = [];
  const open: typeof openDatagram = (address) => {
    const { send, close } = openDatagram(address);
    return { send: (bytes) => sent[sent.push(send(bytes)) - 1] as ReturnType<typeof send>, close };
  };
  const notifier = createNotifier({ NOTIFY_SOCKET: path }, open);
  notifier.ready();
  notifier.status('1 in alarm');
  const receiver = bindDatagrams(path);
  t.after(() => receiver.close());
  notifier.stopping();
  assert.deepEqual(sent, ['gone', 'gone', 'sent']);
  assert.deepEqual([String(receiver.receive()), receiver.receive()], ['STOPPING=1', undefined], 'nothing old was kept');
});

test('half of the watchdog limit, if it is meant for this process', () => {
  const interval = (env: Record<string, string>) =>
    createNotifier({ NOTIFY_SOCKET: '/x', ...env }, () => ({ send: () => 'sent', close: () => {} })).watchdogIntervalMs;
  assert.equal(interval({ WATCHDOG_USEC: '30000000' }), 15_000);
  assert.equal(interval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) }), 15_000);
  assert.equal(interval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' }), undefined);
  for (const limit of ['', '0', '-5', 'x', '1e3', '9'.repeat(40)]) assert.equal(interval({ WATCHDOG_USEC: limit }), undefined);
});
