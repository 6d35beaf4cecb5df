import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { closeSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openPipe } from '../../../../../src/system/native/pipe.ts';
import { type CallResult, DbusConnection, type Limit } from '../../../../../src/system/systemd/dbus/connection.ts';
import { bodyOf, type DbusMessage, encodeMessage, messageTypes } from '../../../../../src/system/systemd/dbus/message.ts';
import { DbusPeer, type FakeMessage, type Greeting } from '../../../../helpers/pid1/dbus-peer.ts';
import { leavesNothing } from '../../../../helpers/pid1/leaves-nothing.ts';
import { Listener, RawPeer } from '../../../../helpers/pid1/unix-server.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

const LONG = { timeoutMs: 30_000 };

test('it says who we are, wants descriptors, and begins, all at once', async (t) => {
  const path = join(tempDir(t), 'socket');
  let said = '';
  const peers: RawPeer[] = [];
  const close = (): void => {
    listener.close();
    for (const peer of peers) peer.close();
  };
  const listener: Listener = leavesNothing(t, close, () => {
    return new Listener(path, (fd) => {
      const peer: RawPeer = new RawPeer(fd, {
        onData: (bytes) => {
          said += bytes.toString('latin1');
          if (said.endsWith('BEGIN\r\n')) peer.send(Buffer.from('OK 00112233445566778899aabbccddeeff\r\nAGREE_UNIX_FD\r\n'));
        },
        onEnd: () => {},
      });
      peers.push(peer);
    });
  });
  const opened = await DbusConnection.open(path, { onSignal: () => {}, onLost: () => {} }, LONG);
  assert.ok(opened.kind === 'open');
  const uid = Buffer.from(String(process.geteuid?.())).toString('hex');
  assert.equal(said, `\0AUTH EXTERNAL ${uid}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n`);
  opened.connection.close();
});

test('the answer to that may come byte by byte', async (t) => {
  const world = new ConnectionWorld(t, { greeting: 'byte_by_byte' });
  const connection = await world.connect();
  assert.equal(connection.over, undefined);
  assert.deepEqual(await world.ask(connection, 'Ping'), { kind: 'reply', values: [] });
});

test('a peer that refuses us, or speaks something else, is reported in one line', async (t) => {
  const world = new ConnectionWorld(t);
  const reasons: readonly (readonly [Greeting, string])[] = [
    ['rejected', 'it refused the connection: REJECTED EXTERNAL?'],
    ['nonsense', 'it refused the connection: HTTP/1.1 400 Bad Request'],
    ['no_descriptors', 'it does not accept descriptors'],
    ['endless', 'it does not speak D-Bus'],
  ];
  for (const [greeting, reason] of reasons) {
    world.greeting = greeting;
    assert.deepEqual(await world.open(), { kind: 'failed', reason });
  }
  assert.deepEqual(world.heard.lost, []);
});

test('who closes before it has answered', async (t) => {
  const world = new ConnectionWorld(t, { greeting: 'silent' });
  const opening = world.open();
  (await world.peer()).end(false);
  const opened = await opening;
  // A reset, if what we had sent was not read by then.
  assert.match(opened.kind === 'failed' ? opened.reason : '', /^it was closed by the other side$|: ECONNRESET$/);
  assert.deepEqual(world.heard.lost, []);
});

test('a peer that does not answer is called silent, within the limit', async (t) => {
  const world = new ConnectionWorld(t, { greeting: 'silent' });
  const opened = await world.open({ timeoutMs: 50 });
  assert.deepEqual(opened, { kind: 'failed', reason: 'it does not answer', silent: true });
});

test('opening is given up when it is aborted', async (t) => {
  const world = new ConnectionWorld(t, { greeting: 'silent' });
  const abort = new AbortController();
  const opening = world.open({ ...LONG, signal: abort.signal });
  await world.peer();
  abort.abort();
  assert.deepEqual(await opening, { kind: 'failed', reason: 'aborted', silent: true });
  assert.deepEqual(await world.open({ ...LONG, signal: abort.signal }), { kind: 'failed', reason: 'aborted', silent: true });
});

test('a full queue is waited for, within the limit', async (t) => {
  const world = new ConnectionWorld(t);
  const letIn = world.listener.busy();
  assert.deepEqual(await world.open({ timeoutMs: 100 }), {
    kind: 'failed',
    reason: `${world.path}: its queue is full`,
    silent: true,
  });
  const opening = world.open();
  letIn();
  assert.equal((await opening).kind, 'open');
});

test('if nobody listens', async (t) => {
  const world = new ConnectionWorld(t);
  world.listener.close();
  assert.deepEqual(await world.open(), { kind: 'failed', reason: `${world.path}: ECONNREFUSED` });
});

test('what comes in one go with the end of the authentication is heard', async (t) => {
  const world = new ConnectionWorld(t, { greeting: 'silent' });
  const opening = world.open();
  const peer = await world.peer();
  const first = encodeMessage({ ...A_SIGNAL, serial: 1 });
  peer.sendBytes(Buffer.concat([Buffer.from('OK 00\r\nAGREE_UNIX_FD\r\n'), first, first.subarray(0, 20)]));
  assert.equal((await opening).kind, 'open');
  await waitFor('the first', () => world.heard.signals.length === 1);
  peer.sendBytes(first.subarray(20));
  await waitFor('the second', () => world.heard.signals.length === 2);
});

test('bytes that are not messages, together with the end of the authentication', async (t) => {
  const world = new ConnectionWorld(t, { greeting: 'silent' });
  const opening = world.open();
  (await world.peer()).sendBytes(Buffer.concat([Buffer.from('OK 00\r\nAGREE_UNIX_FD\r\n'), Buffer.alloc(64, 'x')]));
  const opened = await opening;
  // It may have been opened for a moment, and nobody takes it for alive.
  if (opened.kind === 'open') {
    assert.equal(opened.connection.over, 'this is not a D-Bus message');
    assert.equal((await opened.connection.call(PING, LONG)).kind, 'lost');
  }
});

test('a call is answered with values', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  world.onCall = ({ peer, serial, values }) => {
    peer.send({ type: messageTypes.reply, replySerial: serial, signature: 'su', values: [`got ${values[0]}`, 7] });
  };
  const result = await connection.call({ ...PING, member: 'Echo', signature: 's', values: ['this'] }, LONG);
  assert.deepEqual(result, { kind: 'reply', values: ['got this', 7] });
  const [call] = world.calls;
  assert.deepEqual(
    [call?.type, call?.path, call?.interface, call?.member, call?.destination, call?.signature, call?.unixFds],
    [messageTypes.call, '/', 'a.b', 'Echo', '', 's', 0],
  );
});

test('an error is its name, and one printable line of at most 500 characters', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  const answers: readonly (readonly [Partial<Parameters<typeof encodeMessage>[0]>, string])[] = [
    [{ signature: 's', values: ['Unit\nx not \u001b[31mfound'] }, 'Unit x not ?[31mfound'],
    [{ signature: 's', values: [''] }, 'a.b.Error'],
    [{ signature: 'u', values: [5] }, 'a.b.Error'],
    [{}, 'a.b.Error'],
    [{ signature: 's', values: ['y'.repeat(10_000)] }, 'y'.repeat(500)],
  ];
  for (const [answer, message] of answers) {
    world.onCall = ({ peer, serial }) => {
      peer.send({ type: messageTypes.error, replySerial: serial, errorName: 'a.b.Error', ...answer });
    };
    assert.deepEqual(await connection.call(PING, LONG), { kind: 'error', name: 'a.b.Error', message });
  }
});

test('answers find their calls in whatever order they come', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  const calls: Asked[] = [];
  world.onCall = (call) => calls.push(call);
  const count = 2000;
  const results = Array.from({ length: count }, (_, index) =>
    connection.call({ ...PING, signature: 'u', values: [index] }, LONG),
  );
  await waitFor('all calls', () => calls.length === count);
  for (const { peer, serial, values } of calls.reverse())
    peer.send({ type: messageTypes.reply, replySerial: serial, signature: 'u', values: [values[0] as number] });
  for (const [index, result] of (await Promise.all(results)).entries())
    assert.deepEqual(result, { kind: 'reply', values: [index] });
});

test('one that is not answered in time; a late answer harms nobody', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  let late: Asked | undefined;
  world.onCall = (call) => {
    late = call;
  };
  assert.deepEqual(await connection.call(PING, { timeoutMs: 30 }), { kind: 'no_answer' });
  const { peer, serial } = await waitFor('the call', () => late);
  peer.send({ type: messageTypes.reply, replySerial: serial, signature: 's', values: ['late'] });
  world.onCall = undefined;
  assert.deepEqual(await world.ask(connection, 'Ping'), { kind: 'reply', values: [] });
});

test('an answer that comes twice, or answers nothing, is passed over', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  world.onCall = ({ peer, serial }) => {
    for (const replySerial of [serial + 1000, 0, serial, serial])
      peer.send({ type: messageTypes.reply, replySerial, signature: 'u', values: [replySerial] });
    peer.send({ type: messageTypes.error, replySerial: serial, errorName: 'a.b.C' });
  };
  for (let round = 1; round < 4; round++) {
    const result = await connection.call(PING, LONG);
    assert.ok(result.kind === 'reply' && result.values[0] === round);
  }
});

test('messages of other kinds, and calls to us, are passed over', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  const peer = await world.peer();
  for (const type of [0, messageTypes.call, 5, 255]) peer.send({ ...A_SIGNAL, type });
  assert.deepEqual(await world.ask(connection, 'Ping'), { kind: 'reply', values: [] });
  assert.deepEqual(world.heard.signals, []);
});

test('an abort ends the wait and leaves nothing at the signal', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  const abort = new AbortController();
  assert.equal((await world.ask(connection, 'Ping', { ...LONG, signal: abort.signal })).kind, 'reply');
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
  world.onCall = () => {};
  const waiting = connection.call(PING, { ...LONG, signal: abort.signal });
  await waitFor('the call', () => world.calls.length === 2);
  abort.abort();
  assert.deepEqual(await waiting, { kind: 'aborted' });
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
  assert.deepEqual(await connection.call(PING, { ...LONG, signal: abort.signal }), { kind: 'aborted' });
  // The last one was not even sent.
  world.onCall = undefined;
  await world.ask(connection, 'Ping');
  assert.equal(world.calls.length, 3);
});

test('closed: calls under way are lost, later ones too, and nobody is notified', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  world.onCall = () => {};
  const waiting = [connection.call(PING, LONG), connection.call(PING, LONG)];
  connection.close('enough');
  connection.close('again');
  assert.deepEqual(await Promise.all(waiting), [LOST_ENOUGH, LOST_ENOUGH]);
  assert.deepEqual(await connection.call(PING, LONG), LOST_ENOUGH);
  assert.equal(connection.over, 'enough');
  await waitFor('the end on the other side', () => world.ended === 1);
  assert.deepEqual(world.heard.lost, []);
});

test('lost: calls under way are lost with it, and it is reported once', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  world.onCall = ({ peer }) => {
    if (world.calls.length === 3) peer.end(false);
  };
  const results = await Promise.all([1, 2, 3].map(() => connection.call(PING, LONG)));
  const lost: CallResult = { kind: 'lost', reason: 'it was closed by the other side' };
  assert.deepEqual(results, [lost, lost, lost]);
  assert.deepEqual(await connection.call(PING, LONG), lost);
  assert.deepEqual(world.heard.lost, ['it was closed by the other side']);
});

test('cut in the middle of an answer it is lost, and what came whole before counts', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  world.onCall = ({ peer, serial }) => {
    if (world.calls.length < 2) return;
    peer.send({ type: messageTypes.reply, replySerial: serial - 1, signature: 's', values: ['whole'] });
    peer.end(true);
    peer.send({ type: messageTypes.reply, replySerial: serial, signature: 's', values: ['half'] });
  };
  const results = await Promise.all([connection.call(PING, LONG), connection.call(PING, LONG)]);
  assert.deepEqual(results, [
    { kind: 'reply', values: ['whole'] },
    { kind: 'lost', reason: 'it was closed by the other side' },
  ]);
});

test('bytes that are not messages end it', async (t) => {
  const world = new ConnectionWorld(t);
  const wrong: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.alloc(64, 'x'), /^this is not a D-Bus message$/],
    [huge(), /^a message of \d+ bytes is longer than /],
  ];
  for (const [index, [bytes, reason]] of wrong.entries()) {
    const connection = await world.connect();
    world.onCall = ({ peer }) => peer.sendBytes(bytes);
    const result = await connection.call(PING, LONG);
    assert.ok(result.kind === 'lost');
    assert.match(result.reason, reason);
    assert.equal(world.heard.lost.length, index + 1);
    assert.equal(world.heard.lost.at(-1), result.reason);
    await waitFor('the end on the other side', () => world.ended === index + 1);
  }
});

test('an answer that is not what its signature says ends it', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  world.onCall = ({ peer, serial }) => {
    const bytes = encodeMessage({ type: messageTypes.reply, serial: 9, replySerial: serial, signature: 's', values: ['text'] });
    // The text's length, behind which nothing is any more.
    bytes.writeUInt32LE(1000, bytes.length - 9);
    peer.sendBytes(bytes);
  };
  assert.equal((await connection.call(PING, LONG)).kind, 'lost');
  assert.equal(world.heard.lost.length, 1);
});

test('only the peer that was asked can answer', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  world.onCall = ({ peer, serial }) => {
    const answer = (sender: string | undefined, text: string): void =>
      peer.send({
        type: messageTypes.reply,
        replySerial: serial,
        ...(sender === undefined ? {} : { sender }),
        signature: 's',
        values: [text],
      });
    answer(':1.666', 'forged');
    answer(undefined, 'from nobody');
    answer('org.freedesktop.systemd1', 'by another of its names');
    peer.send({ type: messageTypes.error, replySerial: serial, sender: ':1.666', errorName: 'a.b.Forged' });
    answer(':1.0', 'right');
  };
  const result = await connection.call({ ...PING, destination: ':1.0' }, LONG);
  assert.deepEqual(result, { kind: 'reply', values: ['right'] });
  // The bus says where there can be no answer; it is not asked for one.
  world.onCall = ({ peer, serial }) => {
    const sender = 'org.freedesktop.DBus';
    peer.send({ type: messageTypes.reply, replySerial: serial, sender });
    peer.send({
      type: messageTypes.error,
      replySerial: serial,
      sender,
      errorName: 'a.b.Denied',
      signature: 's',
      values: ['no'],
    });
  };
  const denied = await connection.call({ ...PING, destination: ':1.0' }, LONG);
  assert.deepEqual(denied, { kind: 'error', name: 'a.b.Denied', message: 'no' });
  // Where the other end itself was asked, everything comes from it.
  world.onCall = ({ peer, serial }) => peer.send({ type: messageTypes.reply, replySerial: serial, sender: 'whoever' });
  assert.deepEqual(await connection.call(PING, LONG), { kind: 'reply', values: [] });
});

test('what a bus says for a service that has not answered is not a refusal: the service may have done it', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  for (const word of ['NoReply', 'Timeout', 'TimedOut', 'Disconnected']) {
    world.onCall = ({ peer, serial }) =>
      peer.send({
        type: messageTypes.error,
        replySerial: serial,
        sender: 'org.freedesktop.DBus',
        errorName: `org.freedesktop.DBus.Error.${word}`,
        signature: 's',
        values: ['gone'],
      });
    assert.deepEqual(await connection.call({ ...PING, destination: ':1.0' }, LONG), { kind: 'lost', reason: 'gone' });
  }
});

test('from the peer that was asked the same words are a refusal', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  const errorName = 'org.freedesktop.DBus.Error.Timeout';
  for (const destination of [':1.0', undefined]) {
    world.onCall = ({ peer, serial }) =>
      peer.send({
        type: messageTypes.error,
        replySerial: serial,
        ...(destination === undefined ? {} : { sender: destination }),
        errorName,
        signature: 's',
        values: ['too slow'],
      });
    const result = await connection.call({ ...PING, destination }, LONG);
    assert.deepEqual(result, { kind: 'error', name: errorName, message: 'too slow' });
  }
});

test('a peer that guesses the number of the next answer makes no room for another call', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect(1);
  const called: number[] = [];
  world.onCall = ({ peer, serial, member }) => {
    called.push(serial);
    if (member === 'Ping') peer.send({ type: messageTypes.reply, replySerial: serial, sender: ':1.666' });
    else peer.send({ type: messageTypes.reply, replySerial: serial, sender: ':1.0' });
  };
  const first = connection.call({ ...PING, destination: ':1.0' }, { timeoutMs: 300 });
  const second = connection.call({ ...PING, member: 'Next', destination: ':1.0' }, LONG);
  assert.deepEqual(await first, { kind: 'no_answer' });
  assert.equal(called.length, 1);
  const peer = await world.peer();
  peer.send({ type: messageTypes.reply, replySerial: called[0] ?? 0, sender: ':1.0' });
  assert.deepEqual(await second, { kind: 'reply', values: [] });
});

test('a call that cannot be put into bytes throws and harms nobody', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  assert.throws(() => connection.call({ ...PING, signature: 's', values: [5] }, LONG), TypeError);
  assert.throws(() => connection.call({ ...PING, signature: 'ay', values: [Buffer.alloc(5 << 20)] }, LONG), RangeError);
  assert.deepEqual(await world.ask(connection, 'Ping'), { kind: 'reply', values: [] });
});

test('a long call comes whole, and so does one after it', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  const bytes = Buffer.alloc(3 << 20, 7);
  assert.equal((await connection.call({ ...PING, signature: 'ay', values: [bytes] }, LONG)).kind, 'reply');
  assert.ok(bytes.equals(world.calls[0]?.values[0] as Buffer));
  assert.equal((await connection.call(PING, LONG)).kind, 'reply');
});

test('a peer that does not read does not cost us the memory of all that it is asked', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  const peer = await world.peer();
  peer.pause();
  const call = { ...PING, signature: 'ay', values: [Buffer.alloc(50_000)] };
  const results = await Promise.all(Array.from({ length: 200 }, () => connection.call(call, { timeoutMs: 50 })));
  assert.ok(results.every(({ kind }) => kind === 'no_answer'));
  assert.equal(connection.over, undefined);
  peer.resume();
  // What the kernel had room for and 1 MiB more.
  await waitFor('what was asked', () => world.calls.length > 20);
  assert.equal((await connection.call(PING, LONG)).kind, 'reply');
  assert.ok(world.calls.length < 100, String(world.calls.length));
});

test('descriptors go with their call', async (t) => {
  const world = new ConnectionWorld(t);
  const connection = await world.connect();
  const pipe = openPipe() ?? assert.fail('no pipe');
  const calling = connection.call({ ...PING, signature: 'h', values: [0], descriptors: [pipe.write] }, LONG);
  closeSync(pipe.write);
  await calling;
  const [call] = world.calls;
  assert.equal(call?.unixFds, 1);
  const [passed = -1] = call?.descriptors ?? [];
  writeSync(passed, 'x');
  closeSync(passed);
  closeSync(pipe.read);
});

test('signals are heard in order', async (t) => {
  const world = new ConnectionWorld(t);
  await world.connect();
  const peer = await world.peer();
  for (let index = 0; index < 100; index++) peer.send({ ...A_SIGNAL, signature: 'u', values: [index] });
  await waitFor('all', () => world.heard.signals.length === 100);
  assert.deepEqual(
    world.heard.signals.map((message) => bodyOf(message)[0]),
    Array.from({ length: 100 }, (_, index) => index),
  );
});

test('a connection does not keep the process alive, a call that is waited for does', async (t) => {
  const world = new ConnectionWorld(t);
  const source = join(import.meta.dirname, '../../../../../src/system/systemd/dbus/connection.ts');
  const script = `import { DbusConnection } from ${JSON.stringify(source)};
    const listener = { onSignal() {}, onLost() {} };
    const { connection } = await DbusConnection.open(${JSON.stringify(world.path)}, listener, { timeoutMs: 30000 });
    const result = await connection.call(${JSON.stringify(PING)}, { timeoutMs: 30000 });
    console.log(result.kind);`;
  world.onCall = ({ peer, serial }) => {
    setTimeout(() => peer.send({ type: messageTypes.reply, replySerial: serial }), 100);
  };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  await once(child, 'close');
  assert.deepEqual([child.exitCode, output], [0, 'reply\n']);
});

const PING = { path: '/', interface: 'a.b', member: 'Ping' };
const A_SIGNAL = { type: messageTypes.signal, path: '/', interface: 'a.b', member: 'Changed' };
const LOST_ENOUGH: CallResult = { kind: 'lost', reason: 'enough' };

function huge(): Buffer {
  const bytes = encodeMessage({ ...A_SIGNAL, serial: 1 });
  bytes.writeUInt32LE(0xffffffff, 4);
  return bytes;
}

interface Asked extends FakeMessage {
  readonly peer: DbusPeer;
}

/** Somebody who speaks D-Bus on a socket of the test's own, and our connections to it. After the test nothing of it is left. */
class ConnectionWorld {
  readonly path: string;
  readonly listener: Listener;
  readonly calls: Asked[] = [];
  readonly heard: { readonly signals: DbusMessage[]; readonly lost: string[] } = { signals: [], lost: [] };
  /** Where there is none, a call is answered with nothing. */
  onCall: ((call: Asked) => void) | undefined;
  greeting: Greeting;
  ended = 0;
  readonly #peers: DbusPeer[] = [];
  readonly #connections: DbusConnection[] = [];

  constructor(t: TestContext, { greeting = 'welcome' }: { readonly greeting?: Greeting } = {}) {
    this.greeting = greeting;
    this.path = join(tempDir(t), 'socket');
    const close = (): void => {
      this.listener.close();
      for (const connection of this.#connections) connection.close();
      for (const peer of this.#peers) peer.end(false);
    };
    this.listener = leavesNothing(t, close, () => new Listener(this.path, (fd) => this.#accept(fd)));
  }

  async open(limit: Limit = LONG, mostCalls?: number): ReturnType<typeof DbusConnection.open> {
    const { signals, lost } = this.heard;
    const listener = {
      ...(mostCalls === undefined ? {} : { mostCalls }),
      onSignal: (message: DbusMessage) => signals.push(message),
      onLost: (reason: string) => lost.push(reason),
    };
    const opened = await DbusConnection.open(this.path, listener, limit);
    if (opened.kind === 'open') this.#connections.push(opened.connection);
    return opened;
  }

  async connect(mostCalls?: number): Promise<DbusConnection> {
    const opened = await this.open(LONG, mostCalls);
    return opened.kind === 'open' ? opened.connection : assert.fail(opened.reason);
  }

  async ask(connection: DbusConnection, member: string, limit: Limit = LONG): Promise<CallResult> {
    return await connection.call({ ...PING, member }, limit);
  }

  async peer(): Promise<DbusPeer> {
    return await waitFor('somebody to connect', () => this.#peers.at(-1));
  }

  #accept(fd: number): void {
    const peer: DbusPeer = new DbusPeer(fd, {
      onHello: () => peer.greet(this.greeting),
      onMessage: (message) => {
        const asked = { ...message, peer };
        this.calls.push(asked);
        if (this.onCall === undefined) peer.send({ type: messageTypes.reply, replySerial: message.serial });
        else this.onCall(asked);
      },
      onEnd: () => {
        this.ended++;
      },
    });
    this.#peers.push(peer);
  }
}
