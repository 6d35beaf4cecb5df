import { COMM_BYTES } from '../../core/process/comm.ts';
import type { ClientFilter } from '../../stream/filter.ts';

/**
 * The line that asks a server for only those events; undefined if all are wanted. A server need not know where the kernel cuts
 * off a name, and procMonitor never reads the line: so the client has to filter too.
 */
export function eventRequest({ events, user, name }: ClientFilter): string | undefined {
  const wishes = {
    ...(events && { events: [...events] }),
    ...(user !== undefined && { user }),
    ...(name !== undefined && Buffer.byteLength(name) <= COMM_BYTES && { name }),
  };
  return Object.keys(wishes).length === 0 ? undefined : JSON.stringify(wishes);
}
