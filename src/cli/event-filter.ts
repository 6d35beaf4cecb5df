import { COMM_BYTES, cutName } from '../core/comm.ts';
import type { EventLine } from '../core/event-line.ts';
import type { ProcessEventType } from '../core/process-event.ts';

/** Which events are wanted; undefined: all. `lost` always is. */
export interface EventFilter {
  readonly types: ReadonlySet<ProcessEventType> | undefined;
  readonly user: string | undefined;
  /** A process's name as the kernel has it (the first 15 bytes are compared), or that of a watched process. */
  readonly name: string | undefined;
}

/** The line that asks a server for those alone; undefined where all are wanted. A server need not know where the kernel cuts a name. */
export function eventRequest({ types, user, name }: EventFilter): string | undefined {
  const wishes = {
    ...(types && { events: [...types] }),
    ...(user !== undefined && { user }),
    ...(name !== undefined && Buffer.byteLength(name) <= COMM_BYTES && { name }),
  };
  return Object.keys(wishes).length === 0 ? undefined : JSON.stringify(wishes);
}

/**
 * True for an event that is wanted. Asked of every line: a server sends what it likes until it has read the request, and that of
 * seed 002 never reads it. What does not say whose it is (a fork of seed 002) is not wanted where that was asked for.
 */
export function isWanted(line: EventLine, { types, user, name }: EventFilter): boolean {
  if (line.event === 'lost') return true;
  if (types !== undefined && !types.has(line.event)) return false;
  if (user !== undefined && !('user' in line && line.user === user)) return false;
  return name === undefined || line.monitored === name || programName(line) === cutName(name);
}

/** The name of an event's process: the kernel's, else that of the program it runs. */
export function programName(line: Exclude<EventLine, { event: 'lost' }>): string | undefined {
  if (line.comm !== undefined) return line.comm;
  if (line.event !== 'exec') return undefined;
  const program = line.cmdline.split(' ', 1)[0] ?? '';
  return cutName(program.slice(program.lastIndexOf('/') + 1)) || undefined;
}
