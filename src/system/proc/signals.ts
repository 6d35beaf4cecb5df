import { closeDescriptor } from '../native/libc.ts';
import { type OpenedPidfd, pidfdOpen, pidfdSendSignal } from '../native/pidfd.ts';

/** What of the kernel it takes to signal the processes of a table. */
export interface Signals {
  /** As pidfd_open(2). */
  open(pid: number): OpenedPidfd;
  /** As pidfd_send_signal(2). */
  send(fd: number, signal: number): 'sent' | 'gone' | 'unavailable';
  /** Closes what `open` gave. */
  close(fd: number): void;
  /** As kill(2); throws its error. */
  kill(pid: number, signal: number): void;
}

/** This machine's. */
export const kernelSignals: Signals = {
  open: pidfdOpen,
  send: pidfdSendSignal,
  close: closeDescriptor,
  kill: (pid, signal) => void process.kill(pid, signal),
};
