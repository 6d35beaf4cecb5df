import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import koffi from 'koffi';
import { loadLibc } from '../../../../src/system/native/libc.ts';
import { openPipe } from '../../../../src/system/native/pipe.ts';
import { UnixStream } from '../../../../src/system/native/unix-stream.ts';
import { leavesNothing } from '../../../helpers/pid1/leaves-nothing.ts';
import { Listener, RawPeer } from '../../../helpers/pid1/unix-server.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

test('bytes go both ways, in order', async (t) => {
  const world = new StreamWorld(t);
  const { stream, heard } = world.connect();
  const peer = await world.peer();
  stream.send(Buffer.from('one '));
  stream.send(Buffer.from('two'));
  await waitFor('both', () => peer.bytes().toString() === 'one two');
  peer.raw.send(Buffer.from('three'));
  await waitFor('an answer', () => heard.bytes().toString() === 'three');
  assert.deepEqual(heard.ends, []);
});

test('what the kernel has no room for waits, and comes whole once there is', async (t) => {
  const world = new StreamWorld(t);
  const { stream, heard } = world.connect();
  const peer = await world.peer();
  peer.raw.pause();
  const blocks = Array.from({ length: 64 }, (_, index) => Buffer.alloc(128 * 1024, index));
  for (const block of blocks) stream.send(block);
  assert.ok(stream.waitingBytes > 4 * 1024 * 1024, String(stream.waitingBytes));
  // The loop turns, and nothing of it is lost or sent twice.
  await turns(5);
  const waiting = stream.waitingBytes;
  peer.raw.resume();
  await waitFor('all of it', () => peer.bytes().length === 64 * 128 * 1024);
  assert.ok(peer.bytes().equals(Buffer.concat(blocks)));
  assert.ok(waiting > 0);
  await waitFor('an empty queue', () => stream.waitingBytes === 0);
  assert.deepEqual(heard.ends, []);
});

test('while somebody waits for room what comes is read', async (t) => {
  const world = new StreamWorld(t);
  const { stream, heard } = world.connect();
  const peer = await world.peer();
  peer.raw.pause();
  stream.send(Buffer.alloc(8 * 1024 * 1024));
  peer.raw.send(Buffer.from('meanwhile'));
  await waitFor('what came meanwhile', () => heard.bytes().toString() === 'meanwhile');
  assert.ok(stream.waitingBytes > 0);
});

test('a descriptor arrives with its bytes, once, and the caller may close his own at once', async (t) => {
  const world = new StreamWorld(t);
  const { stream } = world.connect();
  const peer = await world.peer();
  const pipe = openPipe() ?? assert.fail('no pipe');
  stream.send(Buffer.from('have it'), [pipe.write]);
  closeSync(pipe.write);
  stream.send(Buffer.from(' and no more'));
  await waitFor('the bytes', () => peer.bytes().toString() === 'have it and no more');
  const [end, ...more] = peer.descriptors;
  assert.ok(end !== undefined && more.length === 0);
  writeSync(end, 'through it');
  closeSync(end);
  peer.descriptors.length = 0;
  assert.equal(readAll(pipe.read), 'through it');
});

test('several descriptors keep their order, and the same one may go twice', async (t) => {
  const world = new StreamWorld(t);
  const { stream } = world.connect();
  const peer = await world.peer();
  const first = openSync('/dev/null', 'r');
  const second = openSync('/dev/zero', 'r');
  const inodes = [first, second, first].map((fd) => fstatSync(fd).rdev);
  stream.send(Buffer.from('x'), [first, second, first]);
  closeSync(first);
  closeSync(second);
  await waitFor('three', () => peer.descriptors.length === 3);
  assert.deepEqual(
    peer.descriptors.map((fd) => fstatSync(fd).rdev),
    inodes,
  );
});

test('descriptors that wait in the queue go with their own bytes', async (t) => {
  const world = new StreamWorld(t);
  const { stream } = world.connect();
  const peer = await world.peer();
  peer.raw.pause();
  const before = 4 * 1024 * 1024;
  stream.send(Buffer.alloc(before));
  const pipes = Array.from({ length: 3 }, () => openPipe() ?? assert.fail('no pipe'));
  for (const [index, { write }] of pipes.entries()) {
    stream.send(Buffer.alloc(100_000, index), [write]);
    closeSync(write);
  }
  await turns(3);
  peer.raw.resume();
  await waitFor('all of it', () => peer.bytes().length === before + 300_000);
  // The kernel may give what stands before it in the same go.
  for (const [index, { from, to }] of peer.places.entries()) {
    const place = before + index * 100_000;
    assert.ok(from <= place && place < to, `${from} ${to}`);
  }
  for (const [index, fd] of peer.descriptors.splice(0).entries()) {
    writeSync(fd, `pipe ${index}`);
    closeSync(fd);
  }
  assert.deepEqual(
    pipes.map(({ read }) => readAll(read)),
    ['pipe 0', 'pipe 1', 'pipe 2'],
  );
});

test('closed while something waits: it is not sent, and its descriptors are closed', async (t) => {
  const world = new StreamWorld(t);
  const { stream, heard } = world.connect();
  const peer = await world.peer();
  peer.raw.pause();
  const pipe = openPipe() ?? assert.fail('no pipe');
  stream.send(Buffer.alloc(8 * 1024 * 1024));
  stream.send(Buffer.from('never'), [pipe.write]);
  closeSync(pipe.write);
  stream.close();
  stream.close();
  assert.equal(stream.waitingBytes, 0);
  // The last of its writers is gone.
  assert.equal(readAll(pipe.read), '');
  stream.send(Buffer.from('too late'), [0]);
  peer.raw.resume();
  await waitFor('the end', () => peer.ended);
  assert.ok(peer.bytes().length < 8 * 1024 * 1024);
  assert.deepEqual(heard.ends, []);
});

test('the end is reported once, after all that came before it', async (t) => {
  const world = new StreamWorld(t);
  const { heard } = world.connect();
  const peer = await world.peer();
  const last = Buffer.alloc(500_000, 7);
  peer.raw.send(last);
  await waitFor('the most of it', () => heard.bytes().length > 400_000);
  peer.raw.close();
  await waitFor('the end', () => heard.ends.length > 0);
  await turns(5);
  assert.deepEqual(heard.ends, ['it was closed by the other side']);
  assert.ok(heard.bytes().equals(last));
  assert.equal(heard.lengthAtEnd, last.length);
});

test('bytes and the end that come in one turn are reported in that order', async (t) => {
  const world = new StreamWorld(t);
  const { heard } = world.connect();
  const peer = await world.peer();
  peer.raw.send(Buffer.from('last words'));
  peer.raw.close();
  await waitFor('the end', () => heard.ends.length > 0);
  assert.equal(heard.bytes().toString(), 'last words');
});

test('that the other side is gone is reported by the loop, not within the call that sends', async (t) => {
  const world = new StreamWorld(t);
  const { stream, heard } = world.connect();
  const peer = await world.peer();
  peer.raw.close();
  for (let round = 0; round < 10; round++) stream.send(Buffer.alloc(1000));
  assert.deepEqual(heard.ends, []);
  await waitFor('the end', () => heard.ends.length > 0);
  stream.send(Buffer.alloc(1000));
  await turns(5);
  assert.equal(heard.ends.length, 1);
});

test('the other side goes away while something waits', async (t) => {
  const world = new StreamWorld(t);
  const { stream, heard } = world.connect();
  const peer = await world.peer();
  peer.raw.pause();
  const pipe = openPipe() ?? assert.fail('no pipe');
  stream.send(Buffer.alloc(8 * 1024 * 1024));
  stream.send(Buffer.from('x'), [pipe.write]);
  closeSync(pipe.write);
  peer.raw.close();
  await waitFor('the end', () => heard.ends.length > 0);
  assert.equal(readAll(pipe.read), '');
  assert.equal(heard.ends.length, 1);
});

test('closing it from within a report of its own', async (t) => {
  const world = new StreamWorld(t);
  const { stream, heard } = world.connect((bytes) => {
    if (bytes.length > 0) stream.close();
  });
  const peer = await world.peer();
  peer.raw.send(Buffer.alloc(300_000));
  await waitFor('the end', () => peer.ended || peer.raw.isOver);
  assert.ok(heard.bytes().length <= 64 * 1024);
  assert.deepEqual(heard.ends, []);
});

test('a listener whose queue is full: again later', async (t) => {
  const world = new StreamWorld(t);
  const letIn = world.listener.busy();
  assert.equal(UnixStream.open(world.path, silence).kind, 'again');
  letIn();
  const opened = await waitFor('room', () => {
    const tried = UnixStream.open(world.path, silence);
    return tried.kind === 'open' ? tried : undefined;
  });
  opened.stream.close();
});

test('if nobody listens, the reason', (t) => {
  const world = new StreamWorld(t);
  world.listener.close();
  const reasonOf = (path: string): string => {
    const opened = UnixStream.open(path, silence);
    return opened.kind === 'failed' ? opened.reason : assert.fail(opened.kind);
  };
  assert.equal(reasonOf(world.path), `${world.path}: ECONNREFUSED`);
  assert.equal(reasonOf(`${world.path}-not`), `${world.path}-not: ENOENT`);
  assert.equal(reasonOf('/dev/null'), '/dev/null: ECONNREFUSED');
  assert.equal(reasonOf(`/${'x'.repeat(200)}`), `/${'x'.repeat(200)} is not a socket address`);
  assert.equal(reasonOf(''), ' is not a socket address');
});

test('an abstract address', async (t) => {
  const world = new StreamWorld(t, `@monitor-test-${process.pid}`);
  const { stream } = world.connect();
  const peer = await world.peer();
  stream.send(Buffer.from('hello'));
  await waitFor('it to arrive', () => peer.bytes().toString() === 'hello');
});

test('descriptors that the other side passes are not kept', async (t) => {
  const world = new StreamWorld(t);
  const { heard } = world.connect();
  const peer = await world.peer();
  const pipe = openPipe() ?? assert.fail('no pipe');
  passDescriptor(peer.raw.fd, Buffer.from('take this'), pipe.write);
  closeSync(pipe.write);
  await waitFor('the bytes', () => heard.bytes().toString() === 'take this');
  assert.equal(readAll(pipe.read), '');
});

test('one that is not waited for does not keep the process alive', async (t) => {
  const world = new StreamWorld(t);
  const source = join(import.meta.dirname, '../../../../src/system/native/unix-stream.ts');
  const run = async (more: string): Promise<string> => {
    const script = `import { UnixStream } from ${JSON.stringify(source)};
      const opened = UnixStream.open(${JSON.stringify(world.path)}, { onData() {}, onEnd() { console.log('end'); } });
      console.log(opened.kind);
      ${more}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    await once(child, 'close');
    assert.equal(child.exitCode, 0);
    return output;
  };
  assert.equal(await run('opened.stream.unref();'), 'open\n');
  // One that is waited for does, until the other side ends it.
  const waiting = run('');
  const peer = await world.peer(1);
  peer.raw.close();
  assert.equal(await waiting, 'open\nend\n');
});

const silence = { onData: () => {}, onEnd: () => {} };

interface Heard {
  bytes(): Buffer;
  readonly ends: string[];
  /** How much had come when the end was told. */
  readonly lengthAtEnd: number;
}

interface Peer {
  readonly raw: RawPeer;
  readonly ended: boolean;
  /** All that has come so far. */
  bytes(): Buffer;
  /** Those that came, to be closed; whatever is left is closed after the test. */
  readonly descriptors: number[];
  /** Of each of them: which bytes it came with. */
  readonly places: readonly { readonly from: number; readonly to: number }[];
}

/** A listening socket, whoever connects to it, and our ends. After the test nothing of it is left. */
class StreamWorld {
  readonly path: string;
  readonly listener: Listener;
  readonly #peers: Peer[] = [];
  readonly #streams: UnixStream[] = [];

  constructor(t: TestContext, path?: string) {
    this.path = path ?? join(tempDir(t), 'socket');
    const close = (): void => {
      this.listener.close();
      for (const stream of this.#streams) stream.close();
      for (const { raw, descriptors } of this.#peers) {
        raw.close();
        for (const fd of descriptors) closeSync(fd);
      }
    };
    this.listener = leavesNothing(t, close, () => new Listener(this.path, (fd) => this.#accept(fd)));
  }

  connect(onData: (bytes: Buffer) => void = () => {}): { readonly stream: UnixStream; readonly heard: Heard } {
    const chunks: Buffer[] = [];
    const ends: string[] = [];
    const heard = { bytes: () => Buffer.concat(chunks), ends, lengthAtEnd: 0 };
    const opened = UnixStream.open(this.path, {
      onData: (bytes) => {
        // The buffer is used again.
        chunks.push(Buffer.from(bytes));
        onData(bytes);
      },
      onEnd: (reason) => {
        heard.lengthAtEnd = heard.bytes().length;
        ends.push(reason);
      },
    });
    assert.ok(opened.kind === 'open');
    this.#streams.push(opened.stream);
    return { stream: opened.stream, heard };
  }

  async peer(index = 0): Promise<Peer> {
    return await waitFor('somebody to connect', () => this.#peers[index]);
  }

  #accept(fd: number): void {
    const chunks: Buffer[] = [];
    const descriptors: number[] = [];
    const places: { readonly from: number; readonly to: number }[] = [];
    let length = 0;
    const raw = new RawPeer(fd, {
      onData: (bytes, passed) => {
        for (const one of passed) {
          descriptors.push(one);
          places.push({ from: length, to: length + bytes.length });
        }
        chunks.push(bytes);
        length += bytes.length;
      },
      onEnd: () => {
        peer.ended = true;
      },
    });
    const peer = { raw, ended: false, bytes: () => Buffer.concat(chunks), descriptors, places };
    this.#peers.push(peer);
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** All that is in a pipe whose writers are gone; closes it. */
function readAll(fd: number): string {
  const buffer = Buffer.alloc(4096);
  const length = readSync(fd, buffer, 0, buffer.length, null);
  closeSync(fd);
  return buffer.toString('utf8', 0, length);
}

/** sendmsg(2) with one descriptor, as the other side does it. */
function passDescriptor(socket: number, bytes: Buffer, descriptor: number): void {
  const libc = loadLibc() ?? assert.fail('koffi cannot be loaded');
  const data = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(data);
  const control = Buffer.allocUnsafeSlow(24).fill(0);
  control.writeBigUInt64LE(20n, 0);
  control.writeInt32LE(1, 8);
  control.writeInt32LE(1, 12);
  control.writeInt32LE(descriptor, 16);
  const vector = Buffer.allocUnsafeSlow(16);
  vector.writeBigUInt64LE(koffi.address(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  const header = Buffer.allocUnsafeSlow(56).fill(0);
  header.writeBigUInt64LE(koffi.address(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(koffi.address(control), 32);
  header.writeBigUInt64LE(24n, 40);
  assert.equal(libc.sendmsg(socket, header, 0), bytes.length);
}
