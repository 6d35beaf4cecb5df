import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '../../../src/core/clock.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { Syslog } from '../../../src/logging/syslog.ts';
import type { DatagramSender } from '../../../src/system/native/datagram.ts';
import { openDatagram } from '../../../src/system/native/datagram.ts';
import { bindDatagrams, type DatagramReceiver } from '../../helpers/datagram-receiver.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const clock: Clock = { ...systemClock, date: () => new Date(2026, 0, 2, 3, 4, 5) };

test('lines as syslog expects them, on a real socket', (t) => {
  const path = join(tempDir(t), 'log');
  const receiver = bindDatagrams(path);
  t.after(() => receiver.close());
  const syslog = new Syslog({ open: () => openDatagram(path), clock, pid: 4711 });
  t.after(() => syslog.close());
  syslog.write('error', 'RESTART LOG: ü');
  syslog.write('warning', 'w');
  syslog.write('info', 'i');
  syslog.write('debug', 'x'.repeat(100_000));
  assert.deepEqual(lines(receiver).slice(0, 3), [
    '<27>Jan  2 03:04:05 monitor_service[4711]: RESTART LOG: ü',
    '<28>Jan  2 03:04:05 monitor_service[4711]: w',
    '<30>Jan  2 03:04:05 monitor_service[4711]: i',
  ]);
});

test('a burst into a queue that nobody empties: nothing waits, nothing is lost up to the bound, the rest is reported', async (t) => {
  const path = join(tempDir(t), 'log');
  const receiver = bindDatagrams(path);
  t.after(() => receiver.close());
  const syslog = new Syslog({ open: () => openDatagram(path), clock, pid: 1 });
  t.after(() => syslog.close());
  const startMs = performance.now();
  for (let i = 0; i < 3_000; i++) syslog.write('error', `line ${i}`);
  assert.ok(performance.now() - startMs < 5_000);
  const seen: string[] = [];
  await waitFor('the rest', () => seen.push(...lines(receiver)) > 0 && seen.at(-1)?.includes('dropped'));
  const dropped = Number(/: (\d+) log lines were dropped/.exec(seen.at(-1) ?? '')?.[1]);
  assert.ok(seen.length > 1_000);
  assert.equal(seen.length - 1 + dropped, 3_000);
  assert.deepEqual(
    seen.slice(0, -1).map((line) => line.replace(/^.*: /, '')),
    Array.from({ length: seen.length - 1 }, (_, i) => `line ${i}`),
  );
});

test('a syslog that vanishes and comes back', async (t) => {
  const path = join(tempDir(t), 'log');
  const syslog = new Syslog({ open: () => openDatagram(path), clock, pid: 1 });
  t.after(() => syslog.close());
  syslog.write('error', 'before it was there');
  const first = bindDatagrams(path);
  const seen: string[] = [];
  await waitFor('the first line', () => seen.push(...lines(first)));
  first.close();
  rmSync(path);
  syslog.write('error', 'while it was away');
  const second = bindDatagrams(path);
  t.after(() => second.close());
  await waitFor('the second line', () => seen.push(...lines(second)) > 1);
  assert.deepEqual(
    seen.map((line) => line.replace(/^.*: /, '')),
    ['before it was there', 'while it was away'],
  );
});

test('the end: one last try, the socket closed, later lines nowhere', () => {
  const sent: string[] = [];
  let result: 'sent' | 'full' = 'full';
  let closed = 0;
  const socket: DatagramSender = {
    send: (bytes) => {
      if (result === 'sent') sent.push(String(bytes).replace(/^.*: /, ''));
      return result;
    },
    close: () => void closed++,
  };
  const syslog = new Syslog({ open: () => socket, clock, pid: 1 });
  syslog.write('error', 'one');
  syslog.write('error', 'two');
  result = 'sent';
  syslog.close();
  syslog.close();
  syslog.write('error', 'three');
  assert.deepEqual(sent, ['one', 'two']);
  assert.equal(closed, 1);
});

function lines(receiver: DatagramReceiver): string[] {
  const found: string[] = [];
  for (let next = receiver.receive(); next !== undefined; next = receiver.receive()) found.push(String(next));
  return found;
}

test('one line that was dropped is reported as one', () => {
  const sent: string[] = [];
  let full = true;
  const send = (bytes: Buffer): 'sent' | 'full' => {
    if (full) return 'full';
    sent.push(String(bytes));
    return 'sent';
  };
  const syslog = new Syslog({ open: () => ({ send, close: () => {} }), clock, pid: 1 });
  for (let i = 0; i < 1_001; i++) syslog.write('info', 'x');
  full = false;
  syslog.close();
  assert.match(sent.at(-1) ?? '', /: 1 log line was dropped while syslog accepted none$/);
});
