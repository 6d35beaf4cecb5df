import { createRequire } from 'node:module';

/**
 * A socket that sends datagrams to one Unix address and never blocks: sd_notify(3), /dev/log. `path` is a file's path, or
 * `@NAME` for an abstract address. Nothing is opened before the first `send`; a receiver that went away and came back is
 * found again by itself. Source: unix(7).
 */
export function openDatagram(path: string): DatagramSender {
  const address = socketAddress(path);
  let socket: number | undefined;
  let closed = false;
  return {
    send: (bytes) => {
      const libc = closed || address === undefined ? undefined : loadLibc();
      if (libc === undefined || address === undefined) return 'gone';
      socket ??= libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (socket < 0) {
        socket = undefined;
        return 'gone';
      }
      // Addressed anew each time instead of connected once: the receiver may be another one by now.
      const sent = libc.sendto(socket, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
      if (sent >= 0) return 'sent';
      return libc.errno() === libc.codes.EAGAIN || libc.errno() === libc.codes.ENOBUFS ? 'full' : 'gone';
    },
    close: () => {
      closed = true;
      if (socket !== undefined) loadLibc()?.close(socket);
      socket = undefined;
    },
  };
}

/** What `openDatagram` gives. */
export interface DatagramSender {
  /**
   * `sent`: the receiver's queue has it; `full`: the queue has no room, try again later; `gone`: nobody listens there, we may
   * not, the address is longer than 107 bytes, the datagram larger than the kernel takes (200 KiB), or koffi cannot be loaded.
   */
  send(bytes: Buffer): 'sent' | 'full' | 'gone';
  /** Closes the socket; whatever is sent afterwards is `gone`. Idempotent. */
  close(): void;
}

/**
 * A descriptor that stands for this very process, whatever becomes of its number (pidfd_open(2), Linux 5.3): to be closed by
 * `closeDescriptor`. `gone`: no such process. `unavailable`: the kernel (ENOSYS), a system call filter (EPERM), a full
 * descriptor table or a missing koffi does not let us: use kill(2).
 */
export function pidfdOpen(pid: number): OpenedPidfd {
  const libc = loadLibc();
  if (libc === undefined) return { kind: 'unavailable' };
  const fd = libc.syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0);
  if (fd >= 0) return { kind: 'opened', fd };
  return { kind: libc.errno() === libc.codes.ESRCH ? 'gone' : 'unavailable' };
}

/** What `pidfdOpen` gives. */
export type OpenedPidfd =
  | { readonly kind: 'opened'; readonly fd: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unavailable' };

/**
 * Sends the signal with this number to the process behind a pidfd (pidfd_send_signal(2), Linux 5.1). `gone`: it has ended
 * and been reaped. `unavailable`: see `pidfdOpen`; a lack of permission looks the same, and kill(2) tells it apart.
 */
export function pidfdSendSignal(fd: number, signal: number): 'sent' | 'gone' | 'unavailable' {
  const libc = loadLibc();
  if (libc === undefined) return 'unavailable';
  if (libc.syscall(SYS_PIDFD_SEND_SIGNAL, fd, signal, 0, 0) === 0) return 'sent';
  return libc.errno() === libc.codes.ESRCH ? 'gone' : 'unavailable';
}

/**
 * A pipe (pipe2(2), close-on-exec); undefined where the kernel or a missing koffi does not let us. Node's own "pipes" to a child
 * are socket pairs, in which `echo >/dev/stderr` fails with ENXIO.
 */
export function openPipe(): { readonly read: number; readonly write: number } | undefined {
  const ends = Buffer.alloc(2 * Int32Array.BYTES_PER_ELEMENT);
  if (loadLibc()?.pipe2(ends, SOCK_CLOEXEC) !== 0) return undefined;
  const [read, write] = new Int32Array(ends.buffer, ends.byteOffset, 2);
  return read === undefined || write === undefined ? undefined : { read, write };
}

/** Closes a descriptor that one of these calls opened (close(2)). */
export function closeDescriptor(fd: number): void {
  loadLibc()?.close(fd);
}

/** Why the C library cannot be called here (koffi's binary is missing or does not fit), in one line; undefined where it can. */
export function libcProblem(): string | undefined {
  loadLibc();
  return loaded?.kind === 'failed' ? loaded.reason : undefined;
}

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  sendto(socket: number, bytes: Buffer, length: number, flags: number, address: Buffer, addressLength: number): number;
  close(fd: number): number;
  pipe2(ends: Buffer, flags: number): number;
  /** Declared with four whole-number arguments: for those the variadic and the plain calling convention are one on Linux. */
  syscall(number: number, a: number, b: number, c: number, d: number): number;
  /** errno of the last of these calls. */
  errno(): number;
  readonly codes: Readonly<Record<string, number>>;
}

/** Loaded once in the life of the process, like any module, but at the first call: koffi costs 10 ms and its binary may be missing. */
let loaded: LoadedLibc | undefined;

type LoadedLibc = { readonly kind: 'ready'; readonly libc: Libc } | { readonly kind: 'failed'; readonly reason: string };

function loadLibc(): Libc | undefined {
  loaded ??= load();
  return loaded.kind === 'ready' ? loaded.libc : undefined;
}

function load(): LoadedLibc {
  try {
    // Not an import: the bundle must leave koffi, which brings a native part, where it stands beside it.
    const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
    const library = koffi.load(null);
    const libc: Libc = {
      socket: library.func('int socket(int domain, int type, int protocol)'),
      sendto: library.func('long sendto(int fd, const void *buf, size_t len, int flags, const void *addr, uint32_t addrlen)'),
      close: library.func('int close(int fd)'),
      pipe2: library.func('int pipe2(void *ends, int flags)'),
      syscall: library.func('long syscall(long number, long a, long b, long c, long d)'),
      errno: () => koffi.errno(),
      codes: koffi.os.errno,
    };
    return { kind: 'ready', libc };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason: `koffi cannot be loaded: ${message.split('\n')[0]}` };
  }
}

/** sockaddr_un; undefined where `path` does not fit. An abstract address is not NUL-terminated: its length counts. */
function socketAddress(path: string): Buffer | undefined {
  const name = Buffer.from(path);
  if (name.length === 0 || name.length > MAX_SOCKET_PATH || name.includes(0)) return undefined;
  const family = Buffer.from(new Uint16Array([AF_UNIX]).buffer);
  if (name[0] === '@'.charCodeAt(0)) name[0] = 0;
  return Buffer.concat([family, name, name[0] === 0 ? Buffer.alloc(0) : Buffer.alloc(1)]);
}

const MAX_SOCKET_PATH = 107;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** O_CLOEXEC is the same number. */
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** The same on every architecture (asm-generic/unistd.h). */
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
