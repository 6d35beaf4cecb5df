import { rmSync } from 'node:fs';
import koffi from 'koffi';
import { type DescriptorWatch, loadLibc } from '../../../src/system/native/libc.ts';
import { AF_UNIX, SOCK_CLOEXEC, socketAddress } from '../../../src/system/native/socket-address.ts';

/** What a raw connection tells. */
export interface RawPeerEvents {
  /** Bytes, and the descriptors that came with them: the listener's to close. */
  onData(bytes: Buffer, descriptors: readonly number[]): void;
  /** The other side is gone; not after `close`. */
  onEnd(): void;
}

/** The other end of a Unix stream connection, which takes descriptors too. */
export class RawPeer {
  readonly fd: number;
  readonly #events: RawPeerEvents;
  readonly #watch: DescriptorWatch;
  #waiting: Buffer[] = [];
  #over = false;

  constructor(fd: number, events: RawPeerEvents) {
    this.fd = fd;
    this.#events = events;
    this.#watch = libc().watch(fd, () => this.#ready());
  }

  get isOver(): boolean {
    return this.#over;
  }

  send(bytes: Buffer): void {
    if (this.#over) return;
    this.#waiting.push(Buffer.from(bytes));
    this.#flush();
  }

  /** Reads no more, until `resume`. */
  pause(): void {
    this.#watch.pause();
  }

  resume(): void {
    this.#watch.resume();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#watch.stop();
    libc().close(this.fd);
  }

  #ready(): void {
    this.#flush();
    while (!this.#over) {
      const got = receive(this.fd);
      if (got === 'later') return;
      if (got === 'over') {
        this.close();
        this.#events.onEnd();
        return;
      }
      this.#events.onData(got.bytes, got.descriptors);
    }
  }

  #flush(): void {
    for (let next = this.#waiting[0]; next !== undefined && !this.#over; next = this.#waiting[0]) {
      const sent = libc().send(this.fd, next, next.length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) {
        this.#watch.awaitRoom(libc().errno() === libc().codes.EAGAIN);
        return;
      }
      if (sent < next.length) this.#waiting[0] = next.subarray(sent);
      else this.#waiting.shift();
    }
    if (!this.#over) this.#watch.awaitRoom(false);
  }
}

/** A listening Unix socket. Closed, its file stays, and connecting to that is refused. */
export class Listener {
  readonly #path: string;
  readonly #fd: number;
  readonly #watch: DescriptorWatch;
  #closed = false;

  constructor(path: string, onConnection: (fd: number) => void, backlog = 128) {
    this.#path = path;
    if (path.startsWith('/')) rmSync(path, { force: true });
    const address = socketAddress(path) ?? Buffer.alloc(0);
    this.#fd = libc().socket(AF_UNIX, 1 | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (libc().bind(this.#fd, address, address.length) !== 0 || server().listen(this.#fd, backlog) !== 0) {
      const errno = libc().errno();
      libc().close(this.#fd);
      throw new Error(`${path}: errno ${errno}`);
    }
    this.#watch = libc().watch(this.#fd, () => {
      for (let fd = this.#accept(); fd >= 0; fd = this.#accept()) onConnection(fd);
    });
  }

  /** Fills the queue, and lets nobody in until the returned function is called. */
  busy(): () => void {
    this.#watch.pause();
    server().listen(this.#fd, 0);
    const address = socketAddress(this.#path) ?? Buffer.alloc(0);
    const waiting: number[] = [];
    for (;;) {
      const fd = libc().socket(AF_UNIX, 1 | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      const isIn = libc().connect(fd, address, address.length) === 0;
      if (!isIn) libc().close(fd);
      if (!isIn) break;
      waiting.push(fd);
    }
    return () => {
      for (const fd of waiting) libc().close(fd);
      if (this.#closed) return;
      server().listen(this.#fd, 128);
      this.#watch.resume();
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.stop();
    libc().close(this.#fd);
  }

  #accept(): number {
    return this.#closed ? -1 : server().accept4(this.#fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }
}

const MSG_DONTWAIT = 0x40;

const MSG_NOSIGNAL = 0x4000;

const MSG_CMSG_CLOEXEC = 0x40000000;

const SOCK_NONBLOCK = 0o4000;

function libc(): NonNullable<ReturnType<typeof loadLibc>> {
  const loaded = loadLibc();
  if (loaded === undefined) throw new Error('koffi cannot be loaded');
  return loaded;
}

interface ServerCalls {
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: null, length: null, flags: number): number;
  recvmsg(fd: number, header: Buffer, flags: number): number;
}

let serverCalls: ServerCalls | undefined;

/** What only the other end of a connection needs of the C library. */
function server(): ServerCalls {
  if (serverCalls === undefined) {
    const library = koffi.load(null);
    serverCalls = {
      listen: library.func('int listen(int fd, int backlog)'),
      accept4: library.func('int accept4(int fd, void *addr, void *len, int flags)'),
      recvmsg: library.func('long recvmsg(int fd, void *header, int flags)'),
    };
  }
  return serverCalls;
}

/** recvmsg(2) once. */
function receive(fd: number): 'later' | 'over' | { readonly bytes: Buffer; readonly descriptors: readonly number[] } {
  const data = Buffer.allocUnsafeSlow(64 * 1024);
  const control = Buffer.allocUnsafeSlow(1024).fill(0);
  const vector = Buffer.allocUnsafeSlow(16);
  vector.writeBigUInt64LE(libc().addressOf(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  const header = Buffer.allocUnsafeSlow(56).fill(0);
  header.writeBigUInt64LE(libc().addressOf(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(libc().addressOf(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  const got = server().recvmsg(fd, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return libc().errno() === libc().codes.EAGAIN ? 'later' : 'over';
  const descriptors: number[] = [];
  const controlEnd = Number(header.readBigUInt64LE(40));
  for (let at = 0; at + 16 <= controlEnd; ) {
    const length = Number(control.readBigUInt64LE(at));
    for (let place = at + 16; place + 4 <= at + length; place += 4) descriptors.push(control.readInt32LE(place));
    at += Math.ceil(length / 8) * 8;
  }
  return got === 0 ? 'over' : { bytes: data.subarray(0, got), descriptors };
}
