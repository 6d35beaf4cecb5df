import type { ProcessIdentity, ProcessTable } from './table.ts';

/**
 * Sends a signal to this very process and to no other process that has its number by now. With a pidfd the check of the start
 * time and the signal apply to the same process; without one (kernels before 5.3) there is a moment between them. `gone`: it
 * has ended; `denied`: we may not signal it (kill(2)).
 */
export function signalProcess(table: ProcessTable, identity: ProcessIdentity, signal: number): 'sent' | 'gone' | 'denied' {
  const { signals } = table;
  const opened = signals.open(identity.pid);
  if (opened.kind === 'gone') return 'gone';
  if (opened.kind === 'unavailable') return kill(table, identity, signal);
  try {
    if (!table.exists(identity)) return 'gone';
    const sent = signals.send(opened.fd, signal);
    return sent === 'unavailable' ? kill(table, identity, signal) : sent;
  } finally {
    signals.close(opened.fd);
  }
}

function kill(table: ProcessTable, identity: ProcessIdentity, signal: number): 'sent' | 'gone' | 'denied' {
  if (!table.exists(identity)) return 'gone';
  try {
    table.signals.kill(identity.pid, signal);
    return 'sent';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'gone' : 'denied';
  }
}
