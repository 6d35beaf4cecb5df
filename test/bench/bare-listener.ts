import { setTimeout as delay } from 'node:timers/promises';
import { loadLibc } from '../../src/system/native/libc.ts';
import { openConnectorSocket } from '../../src/system/process-events/netlink.ts';

// The least that a Node program can do to hear process events: it calls recvmmsg(2) and counts the datagrams, at the same pace as the
// source does in a storm; nothing is parsed, judged or delivered. Speaks as event-listener.ts does.

const REST_MS = 10;
const SLOTS = 256;

const opened = openConnectorSocket();
const libc = loadLibc();
if (opened.kind === 'failed' || libc === undefined) {
  console.error(opened.kind === 'failed' ? `${opened.call}: ${opened.code}` : 'no C library');
  process.exit(1);
}
const { socket } = opened;
let received = 0;
let lost = 0;
let full = false;
const { recvmmsg } = libc;
// Our own socket, set up as ever: but of what it reads it is told nothing, so it parses nothing.
libc.recvmmsg = (...args) => {
  const count = recvmmsg(...args);
  received += Math.max(count, 0);
  full = count === SLOTS;
  return Math.min(count, 0);
};
const watch = socket.watch(() => {
  watch.pause();
  do if (socket.receive(() => {}) === 'overrun') lost += 1;
  while (full);
  setTimeout(() => watch.resume(), REST_MS);
});
socket.request('listen', 1);

console.log('ready');
for await (const _ of process.stdin) {
  await delay(200);
  console.log(JSON.stringify({ received, lost }));
}
