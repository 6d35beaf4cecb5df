// Waits for the end of a process.
import { geteuid } from 'node:process';
import type { Clock } from '../../core/clock.ts';
import { descriptorLimit } from '../native/descriptor-limit.ts';
import { closeDescriptor, loadLibc } from '../native/libc.ts';
import { pidfdExitStatus, pidfdOpen } from '../native/pidfd.ts';
import { hasEnded, parseExitCode } from './parse.ts';
import type { ProcessIdentity, ProcessTable } from './table.ts';

/** A watch for the end of a process. */
export interface PidWatch {
  readonly by: 'pidfd' | 'looks';
  /** Ends the watch; `onExit` is not called any more. Idempotent. */
  stop(): void;
}

/**
 * Calls `onExit` once, when this very process has ended, with its wait status if that is available; never before watchPid has
 * returned. It uses a pidfd (Linux 5.3: half a millisecond, no cost while the process lives), or else a look every 250 ms, also
 * if few descriptors are left. Never throws.
 */
export function watchPid(
  process: ProcessIdentity,
  parts: { readonly table: ProcessTable; readonly clock: Clock },
  onExit: (status: number | undefined) => void,
): PidWatch {
  const opened = pidfdOpen(process.pid);
  if (opened.kind === 'unavailable') return watchByLooks(process, parts, onExit);
  if (opened.kind === 'opened') {
    const now = parts.table.read(process.pid, ['startTime']);
    // The kernel assigns the lowest free number: the last ones are reserved for files, the database and our clients.
    const tooMany = opened.fd >= descriptorLimit() - RESERVED;
    // The descriptor of a zombie, and of a process that has just ended, is readable at once; with another start time it is
    // another process.
    if (!tooMany && (now === undefined || now.startTime === process.startTime))
      return watchDescriptor(opened.fd, process, parts.table, onExit);
    closeDescriptor(opened.fd);
    if (tooMany) return watchByLooks(process, parts, onExit);
  }
  const late = setImmediate(() => onExit(undefined));
  return { by: 'pidfd', stop: () => clearImmediate(late) };
}

/** Whether the kernel reports the end of a process; false if it has to be looked for. */
export function canWatchByPidfd(): boolean {
  const own = pidfdOpen(process.pid);
  if (own.kind === 'opened') closeDescriptor(own.fd);
  return own.kind === 'opened';
}

function watchDescriptor(
  fd: number,
  process: ProcessIdentity,
  table: ProcessTable,
  onExit: (status: number | undefined) => void,
): PidWatch {
  let stopped = false;
  const watch = loadLibc()?.watch(fd, () => {
    if (stopped) return;
    // Until the parent has reaped it the status is in /proc, from then on it is available through the descriptor; the reaping
    // may happen in between.
    const status = pidfdExitStatus(fd) ?? zombieStatus(process, table) ?? pidfdExitStatus(fd);
    stop();
    onExit(status);
  });
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    watch?.stop();
    closeDescriptor(fd);
  };
  return { by: 'pidfd', stop };
}

function watchByLooks(
  process: ProcessIdentity,
  { table, clock }: { readonly table: ProcessTable; readonly clock: Clock },
  onExit: (status: number | undefined) => void,
): PidWatch {
  const stopped = new AbortController();
  void (async () => {
    do await clock.sleep(LOOK_MS, stopped.signal);
    while (!stopped.signal.aborted && table.exists(process));
    if (!stopped.signal.aborted) onExit(zombieStatus(process, table));
  })();
  return { by: 'looks', stop: () => stopped.abort() };
}

const LOOK_MS = 250;
/** Descriptors that are reserved for everything else. */
const RESERVED = 128;

/** The wait status of a process that has ended and was not reaped yet; undefined for any other, and if we may not know it. */
function zombieStatus({ pid, startTime }: ProcessIdentity, table: ProcessTable): number | undefined {
  const now = table.read(pid, ['startTime', 'state', 'threads']);
  if (now?.startTime !== startTime || !hasEnded(now)) return undefined;
  const status = parseExitCode(table.bytes(pid, 'stat')?.toString() ?? '');
  // A reader without the right to know it reads 0.
  return status === 0 && geteuid?.() !== 0 ? undefined : status;
}
