import { loadLibc } from './libc.ts';

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

/** The same on every architecture (asm-generic/unistd.h). */
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
