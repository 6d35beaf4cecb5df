// A connection to a Unix stream socket that can pass descriptors.
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

/** What a stream reports to its opener; always called from the event loop, never from within one of the stream's own calls. */
interface StreamListener {
  /** Receives bytes, in order; the buffer is reused after the call. */
  onData(bytes: Buffer): void;
  /**
   * Called once when the stream has ended, never after `close`. `reason`: the other side closed it, or why it broke, in one
   * line.
   */
  onEnd(reason: string): void;
}

/** The result of opening; `again`: the listener's queue was full at that moment. */
type OpenedStream =
  | { readonly kind: 'open'; readonly stream: UnixStream }
  | { readonly kind: 'again' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * A connection to a Unix stream socket that can pass descriptors, which Node's own sockets cannot. Nothing here blocks: bytes
 * that the kernel has no room for wait in our memory. The kernel closes descriptors that the other side passes. Source:
 * unix(7), sendmsg(2).
 */
export class UnixStream {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #listener: StreamListener;
  readonly #watch: DescriptorWatch;
  #waiting: OutgoingBytes[] = [];
  #waitingBytes = 0;
  /** When the waiting bytes will be sent without a further call: at the end of this turn, or once there is room. */
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
    if (address === undefined) return { kind: 'failed', reason: `${path} is not a socket address` };
    const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return { kind: 'failed', reason: `cannot create a socket: ${errnoName(libc)}` };
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
   * Sends `bytes`, and with the first of them copies of `descriptors`, which the caller keeps and may close at once. Everything
   * that is sent within one turn goes to the kernel in one call, which wakes the other side once.
   */
  send(bytes: Buffer, descriptors: readonly number[] = []): void {
    if (this.#closed) return;
    this.#waiting.push({ bytes, descriptors: descriptors.map(duplicateDescriptor) });
    this.#waitingBytes += bytes.length;
    // A fault is only noted: the sender must not be notified of the end before its own call has returned.
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
    // Bytes that the other side sent before it closed must still be read.
    const reason = this.#read() ?? this.#flush();
    if (reason === undefined || this.#closed) return;
    this.close();
    this.#listener.onEnd(reason);
  }

  /** Why no more bytes will come; undefined as long as they may. */
  #read(): string | undefined {
    // Not until the end of the data: a sender that never stops must not hold up the loop.
    for (let round = 0; round < READS_A_TURN && !this.#closed; round++) {
      const got = this.#libc.recv(this.#fd, BUFFER, BUFFER.length, MSG_DONTWAIT);
      if (got > 0) this.#listener.onData(BUFFER.subarray(0, got));
      else if (got === 0) return 'it was closed by the other side';
      else return isTemporary(this.#libc) ? undefined : `it cannot be read: ${errnoName(this.#libc)}`;
    }
    return undefined;
  }

  /** Why no more bytes can be sent; undefined as long as they can. */
  #flush(): string | undefined {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { bytes, descriptors } = next;
      const sent =
        descriptors.length === 0
          ? this.#libc.send(this.#fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL)
          : sendWithDescriptors(this.#libc, this.#fd, bytes, descriptors);
      if (sent < 0) {
        // Reading detects that it was closed; waiting for room would never end.
        const isClosed = this.#libc.errno() === this.#libc.codes.EPIPE;
        const fault = isClosed || isTemporary(this.#libc) ? undefined : `it cannot be written to: ${errnoName(this.#libc)}`;
        this.#due = 'room';
        this.#watch.awaitRoom(!isClosed);
        return fault;
      }
      // The descriptors go with the first byte.
      descriptors.forEach(closeDescriptor);
      this.#waitingBytes -= sent;
      if (sent < bytes.length) this.#waiting[0] = { bytes: bytes.subarray(sent), descriptors: [] };
      else this.#waiting.shift();
    }
    this.#due = undefined;
    this.#watch.awaitRoom(false);
    return undefined;
  }

  /** The next part to send: one with descriptors by itself, all parts before it joined. */
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

/** One buffer for all streams: it is filled and passed to the listener within one turn. */
const BUFFER = Buffer.allocUnsafeSlow(64 * 1024);
const READS_A_TURN = 4;
/** A turn that has more than this to send sends it in parts. */
const MAX_TURN = 64 * 1024;

/** Whether the last call only has to be repeated later, and did not fail. */
function isTemporary({ errno, codes }: Libc): boolean {
  const code = errno();
  return code === codes.EAGAIN || code === codes.EINTR || code === codes.ENOBUFS;
}
