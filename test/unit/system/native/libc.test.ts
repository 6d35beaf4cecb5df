import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDatagram } from '../../../../src/system/native/datagram.ts';
import { closeDescriptor, libcProblem } from '../../../../src/system/native/libc.ts';
import { pidfdOpen, pidfdSendSignal } from '../../../../src/system/native/pidfd.ts';
import { bindDatagrams } from '../../../helpers/datagram-receiver.ts';

const dir = mkdtempSync(join(tmpdir(), 'libc-test-'));
after(() => rmSync(dir, { recursive: true }));

test('koffi loads here, and nothing is loaded at import time', () => {
  assert.equal(libcProblem(), undefined);
  const script = `
    await import(${JSON.stringify(join(import.meta.dirname, '../../../../src/system/native/libc.ts'))});
    const { readFileSync } = await import('node:fs');
    process.exit(/koffi/.test(readFileSync('/proc/self/maps', 'latin1')) ? 1 : 0);`;
  assert.equal(spawnSync(process.execPath, ['--input-type=module', '-e', script]).status, 0);
});

for (const kind of ['file', 'abstract'] as const) {
  test(`datagrams arrive whole and in order at ${kind} addresses`, () => {
    const path = kind === 'file' ? join(dir, 'in order') : `@libc-test-${process.pid}`;
    const receiver = bindDatagrams(path);
    const sender = openDatagram(path);
    try {
      for (const text of ['READY=1', '', 'STATUS=a\nb\0c', 'x'.repeat(60_000)]) {
        assert.equal(sender.send(Buffer.from(text)), 'sent');
        assert.equal(receiver.receive()?.toString(), text);
      }
      assert.equal(receiver.receive(), undefined);
    } finally {
      sender.close();
      receiver.close();
    }
    assert.equal(sender.send(Buffer.from('late')), 'gone');
  });
}

test('a full queue is recognised, and accepts datagrams again once it was read', () => {
  const path = join(dir, 'full');
  const receiver = bindDatagrams(path);
  const sender = openDatagram(path);
  let sent = 0;
  while (sender.send(Buffer.from(`line ${sent}`)) === 'sent') sent += 1;
  assert.equal(sender.send(Buffer.from('x')), 'full');
  for (let i = 0; i < sent; i += 1) assert.equal(receiver.receive()?.toString(), `line ${i}`);
  assert.equal(sender.send(Buffer.from('again')), 'sent');
  sender.close();
  receiver.close();
});

test('a receiver that is not there, went away, came back', () => {
  const path = join(dir, 'comes and goes');
  const sender = openDatagram(path);
  assert.equal(sender.send(Buffer.from('a')), 'gone');
  const first = bindDatagrams(path);
  assert.equal(sender.send(Buffer.from('b')), 'sent');
  first.close();
  assert.equal(sender.send(Buffer.from('c')), 'gone', 'a socket file nobody listens at');
  rmSync(path);
  assert.equal(sender.send(Buffer.from('d')), 'gone', 'no file');
  const second = bindDatagrams(path);
  assert.equal(sender.send(Buffer.from('e')), 'sent');
  assert.equal(second.receive()?.toString(), 'e');
  sender.close();
  second.close();
});

test('addresses and datagrams that cannot be are gone, not thrown', () => {
  const file = join(dir, 'no socket');
  writeFileSync(file, '');
  for (const path of ['', file, `/${'x'.repeat(107)}`, '/a\0b', join(dir, 'no', 'such')]) {
    const sender = openDatagram(path);
    assert.equal(sender.send(Buffer.from('x')), 'gone', JSON.stringify(path));
    sender.close();
    sender.close();
  }
  const path = join(dir, 'too large');
  const receiver = bindDatagrams(path);
  const sender = openDatagram(path);
  assert.equal(sender.send(Buffer.alloc(4 << 20)), 'gone');
  assert.equal(sender.send(Buffer.from('x')), 'sent');
  sender.close();
  receiver.close();
  assert.ok(statSync(path).isSocket());
});

test('no socket is left behind', () => {
  const path = join(dir, 'leak');
  const receiver = bindDatagrams(path);
  const isSocket = (fd: string): boolean => {
    try {
      return statSync(`/proc/self/fd/${fd}`).isSocket();
    } catch {
      return false;
    }
  };
  const count = () => readdirSync('/proc/self/fd').filter(isSocket).length;
  spawnSync('ls', [`/proc/${process.pid}/fd`])
    .stdout.toString()
    .split('\n').length;
  const before = count();
  for (let i = 0; i < 20; i += 1) {
    const sender = openDatagram(path);
    sender.send(Buffer.from('x'));
    receiver.receive();
    sender.close();
  }
  assert.equal(count(), before);
  receiver.close();
});

test('a pidfd names one process and signals it', async () => {
  const child = spawn('sleep', ['600']);
  const ended = once(child, 'exit');
  const opened = pidfdOpen(child.pid ?? 0);
  assert.equal(opened.kind, 'opened');
  if (opened.kind !== 'opened') return;
  assert.equal(pidfdSendSignal(opened.fd, 0), 'sent');
  assert.equal(pidfdSendSignal(opened.fd, 15), 'sent');
  assert.deepEqual(await ended, [null, 'SIGTERM']);
  assert.equal(pidfdSendSignal(opened.fd, 15), 'gone');
  closeDescriptor(opened.fd);
  assert.equal(pidfdOpen(child.pid ?? 0).kind, 'gone');
});

test('what is not a process id or not a signal is never sent', () => {
  for (const pid of [0, -1, 2 ** 22 + 1]) assert.notEqual(pidfdOpen(pid).kind, 'opened', String(pid));
  const own = pidfdOpen(process.pid);
  assert.equal(own.kind, 'opened');
  if (own.kind !== 'opened') return;
  assert.equal(pidfdSendSignal(own.fd, 9999), 'unavailable');
  closeDescriptor(own.fd);
});
