// The calls of the C library that Node does not offer, made through koffi.
import { createRequire } from 'node:module';

/** Closes a descriptor that one of these calls opened (close(2)). */
export function closeDescriptor(fd: number): void {
  loadLibc()?.close(fd);
}

/**
 * Duplicates a descriptor of an open file, close-on-exec (fcntl(2)); the result must be closed by `closeDescriptor`. Returns -1
 * if no descriptor is left.
 */
export function duplicateDescriptor(fd: number): number {
  return loadLibc()?.fcntl(fd, F_DUPFD_CLOEXEC, 0) ?? -1;
}

const F_DUPFD_CLOEXEC = 1030;

/**
 * Why the C library cannot be called here (koffi's binary is missing or does not fit), in one line; undefined if it can be
 * called.
 */
export function libcProblem(): string | undefined {
  loadLibc();
  return loaded?.kind === 'failed' ? loaded.reason : undefined;
}

/**
 * The calls of the C library that are used here; each does what its manual page says. Buffers are read and written in place.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  /** `ends`: an array of two ints. */
  socketpair(domain: number, type: number, protocol: number, ends: Buffer): number;
  sendto(socket: number, bytes: Buffer, length: number, flags: number, address: Buffer, addressLength: number): number;
  bind(socket: number, address: Buffer, addressLength: number): number;
  connect(socket: number, address: Buffer, addressLength: number): number;
  send(socket: number, bytes: Buffer, length: number, flags: number): number;
  recv(socket: number, bytes: Buffer, length: number, flags: number): number;
  /** `header`: a struct msghdr. */
  sendmsg(socket: number, header: Buffer, flags: number): number;
  /** An empty file in memory without a name (memfd_create(2)); close it by `closeDescriptor`. */
  memfd_create(name: string, flags: number): number;
  /** `length`: a uint32_t, read and written. */
  getsockopt(socket: number, level: number, name: number, value: Buffer, length: Buffer): number;
  setsockopt(socket: number, level: number, name: number, value: Buffer, length: number): number;
  /** `headers`: an array of struct mmsghdr. */
  recvmmsg(socket: number, headers: Buffer, count: number, flags: number, timeout: null): number;
  ioctl(fd: number, request: number, argument: Buffer): number;
  close(fd: number): number;
  /** Variadic as well: see `syscall`. */
  fcntl(fd: number, command: number, argument: number): number;
  pipe2(ends: Buffer, flags: number): number;
  /** `status`: a struct statx. Undefined if the C library does not have this call (before glibc 2.28). */
  readonly statx: ((folder: number, path: string, flags: number, mask: number, status: Buffer) => number) | undefined;
  /** Variadic as well: see `syscall`. */
  prctl(operation: number, a: number, b: number, c: number, d: number): number;
  /** Declared with four integer arguments: for these the variadic and the plain calling convention are the same on Linux. */
  syscall(number: number, a: number, b: number, c: number, d: number): number;
  /** Returns unused memory to the kernel, of all threads (malloc_trim(3)). Undefined if the C library is not glibc. */
  readonly malloc_trim: ((keep: number) => number) | undefined;
  /** The errno of the last of these calls. */
  errno(): number;
  /**
   * The address of a buffer's bytes, for a structure that points to them: the buffer must live longer than the structure, and
   * must not be a slice of a pool.
   */
  addressOf(buffer: Buffer): bigint;
  /**
   * Calls `onReady` in each turn of the event loop in which the descriptor is readable or was hung up, or is writable if
   * `awaitRoom` asked for that. It keeps the process alive until `stop`.
   */
  watch(fd: number, onReady: () => void): DescriptorWatch;
  readonly codes: Readonly<Record<string, number>>;
}

/** A descriptor that the event loop watches. */
export interface DescriptorWatch {
  /** Suspends the watch until `resume`. */
  pause(): void;
  resume(): void;
  /** Sets whether the watch also waits until the descriptor is writable. */
  awaitRoom(wanted: boolean): void;
  /** From now on it does not keep the process alive. */
  unref(): void;
  /** Ends the watch. Must be called before the descriptor is closed. Idempotent; the other calls do nothing afterwards. */
  stop(): void;
}

/** The name of an errno, by default of the last call: `EPERM`; `errno 999` if it has no name. */
export function errnoName(libc: Libc, errno = libc.errno()): string {
  return Object.keys(libc.codes).find((name) => libc.codes[name] === errno) ?? `errno ${errno}`;
}

/**
 * Loaded once in the life of the process, like any module, but at the first call: koffi takes 10 ms to load, and its binary may
 * be missing.
 */
let loaded: LoadedLibc | undefined;

type LoadedLibc = { readonly kind: 'ready'; readonly libc: Libc } | { readonly kind: 'failed'; readonly reason: string };

/** The C library; undefined if it cannot be called (see libcProblem). */
export function loadLibc(): Libc | undefined {
  loaded ??= load();
  return loaded.kind === 'ready' ? loaded.libc : undefined;
}

function load(): LoadedLibc {
  try {
    // Not an import: the bundle must not contain koffi, which has a native part, but load it from the folder beside it.
    const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
    const library = koffi.load(null);
    const libc: Libc = {
      socket: library.func('int socket(int domain, int type, int protocol)'),
      socketpair: library.func('int socketpair(int domain, int type, int protocol, void *ends)'),
      sendto: library.func('long sendto(int fd, const void *buf, size_t len, int flags, const void *addr, uint32_t addrlen)'),
      bind: library.func('int bind(int fd, const void *addr, uint32_t addrlen)'),
      connect: library.func('int connect(int fd, const void *addr, uint32_t addrlen)'),
      send: library.func('long send(int fd, const void *buf, size_t len, int flags)'),
      recv: library.func('long recv(int fd, void *buf, size_t len, int flags)'),
      sendmsg: library.func('long sendmsg(int fd, const void *header, int flags)'),
      memfd_create: library.func('int memfd_create(const char *name, unsigned int flags)'),
      getsockopt: library.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
      setsockopt: library.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
      recvmmsg: library.func('int recvmmsg(int fd, void *headers, unsigned int count, int flags, void *timeout)'),
      ioctl: library.func('int ioctl(int fd, unsigned long request, void *argument)'),
      fcntl: library.func('int fcntl(int fd, int command, long argument)'),
      close: library.func('int close(int fd)'),
      pipe2: library.func('int pipe2(void *ends, int flags)'),
      statx: ifAvailable(() => library.func('int statx(int fd, const char *path, int flags, unsigned int mask, void *status)')),
      prctl: library.func('int prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'),
      syscall: library.func('long syscall(long number, long a, long b, long c, long d)'),
      malloc_trim: ifAvailable(() => library.func('int malloc_trim(size_t keep)')),
      errno: () => koffi.errno(),
      addressOf: (buffer) => koffi.address(buffer),
      watch: (fd, onReady) => watchDescriptor(koffi, fd, onReady),
      codes: koffi.os.errno,
    };
    return { kind: 'ready', libc };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason: `koffi cannot be loaded: ${message.split('\n')[0]}` };
  }
}

function ifAvailable<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

function watchDescriptor(koffi: typeof import('koffi'), fd: number, onReady: () => void): DescriptorWatch {
  const handle = koffi.node.poll(fd, { readable: true, disconnect: true }, onReady);
  let stopped = false;
  let writable = false;
  const start = (): void => handle.start({ readable: true, disconnect: true, writable }, onReady);
  const close = (): void => handle.close();
  closeAtExit(close);
  // koffi follows a null pointer if a closed handle is used.
  return {
    pause: () => {
      if (!stopped) handle.stop();
    },
    resume: () => {
      if (!stopped) start();
    },
    awaitRoom: (wanted) => {
      if (stopped || wanted === writable) return;
      writable = wanted;
      start();
    },
    unref: () => {
      if (!stopped) handle.unref();
    },
    stop: () => {
      if (stopped) return;
      stopped = true;
      close();
      openWatches.delete(close);
      if (openWatches.size === 0) process.off('exit', closeAll);
    },
  };
}

/**
 * Closes the watches that are left when the process ends: while Node shuts down it would still call back, and koffi aborts at
 * that.
 */
function closeAtExit(close: () => void): void {
  if (openWatches.size === 0) process.on('exit', closeAll);
  openWatches.add(close);
}

function closeAll(): void {
  for (const close of openWatches) close();
}

/** The open watches of this process; only the event loop uses them. */
const openWatches = new Set<() => void>();
