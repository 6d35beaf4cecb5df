import {
  closeDescriptor,
  type DescriptorWatch,
  duplicateDescriptor,
  errnoName,
  type Libc,
  libcProblem,
  loadLibc,
} from './libc.ts';
import { sendWithDescriptors } from './send-descriptors.ts';
import {
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socketAddress,
} from './socket-address.ts';

/** What a stream tells whoever opened it; from the loop only, never from within one of its own calls. */
interface StreamListener {
  /** Bytes that came, in order; the buffer is used again after the call. */
  onData(bytes: Buffer): void;
  /** It is over, once: the other side closed it, or why it broke, in one line. Never after `close`. */
  onEnd(reason: string): void;
}

/** How opening went; `again`: the listener's queue was full at that moment. */
type OpenedStream =
  | { readonly kind: 'open'; readonly stream: UnixStream }
  | { readonly kind: 'again' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * A connection to a Unix stream socket that can pass descriptors, which Node's own cannot. Nothing here blocks: what the kernel has no
 * room for waits in our memory. Descriptors that the other side passes are closed by the kernel. Source: unix(7), sendmsg(2).
 */
export class UnixStream {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #listener: StreamListener;
  readonly #watch: DescriptorWatch;
  #waiting: OutgoingBytes[] = [];
  #waitingBytes = 0;
  /** When what waits will be sent without another word: at the end of this turn, or once there is room. */
  #due: 'turn' | 'room' | undefined;
  #closed = false;

  private constructor(libc: Libc, fd: number, listener: StreamListener) {
    this.#libc = libc;
    this.#fd = fd;
    this.#listener = listener;
    this.#watch = libc.watch(fd, () => this.#ready());
  }

  /** Connects to `path`, or to the abstract address `@NAME`. Never waits, never throws. */
  static open(path: string, listener: StreamListener): OpenedStream {
    const libc = loadLibc();
    if (libc === undefined) return { kind: 'failed', reason: libcProblem() ?? '' };
    const address = socketAddress(path);
    if (address === undefined) return { kind: 'failed', reason: `${path} is no address of a socket` };
    const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return { kind: 'failed', reason: `no socket to be had: ${errnoName(libc)}` };
    if (libc.connect(fd, address, address.length) === 0) return { kind: 'open', stream: new UnixStream(libc, fd, listener) };
    const fault = errnoName(libc);
    closeDescriptor(fd);
    return fault === 'EAGAIN' ? { kind: 'again' } : { kind: 'failed', reason: `${path}: ${fault}` };
  }

  /** Bytes that the kernel has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Sends `bytes`, and with the first of them copies of `descriptors`, which stay the caller's and may be closed at once. What one turn
   * sends goes in one call of the kernel's, which wakes the other side once.
   */
  send(bytes: Buffer, descriptors: readonly number[] = []): void {
    if (this.#closed) return;
    this.#waiting.push({ bytes, descriptors: descriptors.map(duplicateDescriptor) });
    this.#waitingBytes += bytes.length;
    // A fault is only noted: whoever sends must not be told of the end before his own call has returned.
    if (this.#due === undefined) {
      this.#due = 'turn';
      queueMicrotask(() => this.#flush());
    } else if (this.#due === 'turn' && this.#waitingBytes > MAX_TURN) this.#flush();
  }

  /** From now on it does not keep the process alive. */
  unref(): void {
    this.#watch.unref();
  }

  /** Closes it; what waits is not sent. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.stop();
    closeDescriptor(this.#fd);
    for (const { descriptors } of this.#waiting) descriptors.forEach(closeDescriptor);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #ready(): void {
    // What the other side said before it closed is still to be heard.
    const reason = this.#read() ?? this.#flush();
    if (reason === undefined || this.#closed) return;
    this.close();
    this.#listener.onEnd(reason);
  }

  /** Why nothing more will come; undefined while that may be. */
  #read(): string | undefined {
    // Not to the end: a sender that never stops must not hold up the loop.
    for (let round = 0; round < READS_A_TURN && !this.#closed; round++) {
      const got = this.#libc.recv(this.#fd, BUFFER, BUFFER.length, MSG_DONTWAIT);
      if (got > 0) this.#listener.onData(BUFFER.subarray(0, got));
      else if (got === 0) return 'it was closed by the other side';
      else return isPassing(this.#libc) ? undefined : `it cannot be read: ${errnoName(this.#libc)}`;
    }
    return undefined;
  }

  /** Why nothing more can be sent; undefined while that may be. */
  #flush(): string | undefined {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { bytes, descriptors } = next;
      const sent =
        descriptors.length === 0
          ? this.#libc.send(this.#fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL)
          : sendWithDescriptors(this.#libc, this.#fd, bytes, descriptors);
      if (sent < 0) {
        // That it was closed is found by reading; to wait for room would be to wait for nothing.
        const isClosed = this.#libc.errno() === this.#libc.codes.EPIPE;
        const fault = isClosed || isPassing(this.#libc) ? undefined : `it cannot be written to: ${errnoName(this.#libc)}`;
        this.#due = 'room';
        this.#watch.awaitRoom(!isClosed);
        return fault;
      }
      // They go with the first byte.
      descriptors.forEach(closeDescriptor);
      this.#waitingBytes -= sent;
      if (sent < bytes.length) this.#waiting[0] = { bytes: bytes.subarray(sent), descriptors: [] };
      else this.#waiting.shift();
    }
    this.#due = undefined;
    this.#watch.awaitRoom(false);
    return undefined;
  }

  /** What is to be sent next: one with descriptors for itself, all before it as one. */
  #next(): OutgoingBytes | undefined {
    const end = this.#waiting.findIndex(({ descriptors }) => descriptors.length > 0);
    const plain = end < 0 ? this.#waiting.length : end;
    if (plain > 1) {
      const bytes = Buffer.concat(this.#waiting.slice(0, plain).map((one) => one.bytes));
      this.#waiting.splice(0, plain, { bytes, descriptors: [] });
    }
    return this.#waiting[0];
  }
}

interface OutgoingBytes {
  readonly bytes: Buffer;
  readonly descriptors: readonly number[];
}

/** One for all: it is filled and handed on within one turn. */
const BUFFER = Buffer.allocUnsafeSlow(64 * 1024);
const READS_A_TURN = 4;
/** One turn that has more than that to send sends it in parts. */
const MAX_TURN = 64 * 1024;

/** The last call has to wait, and did not fail. */
function isPassing({ errno, codes }: Libc): boolean {
  const code = errno();
  return code === codes.EAGAIN || code === codes.EINTR || code === codes.ENOBUFS;
}
