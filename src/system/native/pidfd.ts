import { loadLibc } from './libc.ts';

/**
 * Opens a descriptor that stands for this very process, even after its number is reused (pidfd_open(2), Linux 5.3); close it by
 * `closeDescriptor`. `gone`: there is no such process. `unavailable`: the kernel is too old (ENOSYS), a system call filter
 * refuses it (EPERM), the descriptor table is full, or koffi is missing: use kill(2).
 */
export function pidfdOpen(pid: number): OpenedPidfd {
  const libc = loadLibc();
  if (libc === undefined) return { kind: 'unavailable' };
  const fd = libc.syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0);
  if (fd >= 0) return { kind: 'opened', fd };
  return { kind: libc.errno() === libc.codes.ESRCH ? 'gone' : 'unavailable' };
}

/** The result of `pidfdOpen`. */
export type OpenedPidfd =
  | { readonly kind: 'opened'; readonly fd: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unavailable' };

/**
 * Sends the signal with this number to the process behind a pidfd (pidfd_send_signal(2), Linux 5.1). `gone`: the process has
 * ended and been reaped. `unavailable`: see `pidfdOpen`; a missing permission gives the same result, and kill(2) tells the two
 * apart.
 */
export function pidfdSendSignal(fd: number, signal: number): 'sent' | 'gone' | 'unavailable' {
  const libc = loadLibc();
  if (libc === undefined) return 'unavailable';
  if (libc.syscall(SYS_PIDFD_SEND_SIGNAL, fd, signal, 0, 0) === 0) return 'sent';
  return libc.errno() === libc.codes.ESRCH ? 'gone' : 'unavailable';
}

/**
 * The exit status of the process behind a pidfd, as wait(2) returns it, no matter whose child the process is. It is known once
 * the parent has reaped the process, on Linux 6.15 and later (PIDFD_GET_INFO, linux/pidfd.h). Undefined before that and
 * elsewhere.
 */
export function pidfdExitStatus(fd: number): number | undefined {
  const info = Buffer.alloc(PIDFD_INFO_SIZE);
  info.writeBigUInt64LE(PIDFD_INFO_EXIT, 0);
  if (loadLibc()?.ioctl(fd, PIDFD_GET_INFO, info) !== 0) return undefined;
  const known = (info.readBigUInt64LE(0) & PIDFD_INFO_EXIT) !== 0n;
  return known ? info.readInt32LE(PIDFD_INFO_EXIT_CODE) : undefined;
}

/** struct pidfd_info in its first version (PIDFD_INFO_SIZE_VER0): fields that later kernels add follow it. */
const PIDFD_INFO_SIZE = 64;
const PIDFD_INFO_EXIT_CODE = 60;
const PIDFD_INFO_EXIT = 1n << 3n;
/** _IOWR(0xff, 11, struct pidfd_info), the same on x86-64 and arm64. */
const PIDFD_GET_INFO = 0xc040ff0b;

/** The same on every architecture (asm-generic/unistd.h). */
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
