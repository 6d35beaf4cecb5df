// The filter of a client.

import { cutName } from '../core/process/comm.ts';
import { type ProcessEventType, processEventTypes } from '../core/process/event.ts';
import type { EventLine } from '../core/process/event-line.ts';

/** Which events a client wants; undefined means all. `lost` is always sent. */
export interface ClientFilter {
  readonly events: ReadonlySet<ProcessEventType> | undefined;
  /** The user's name. */
  readonly user: string | undefined;
  /** The process's own name (its first 15 bytes are compared), or the name of the watched process that it belongs to. */
  readonly name: string | undefined;
}

/** What a client gets that has sent no filter. */
export const everything: ClientFilter = { events: undefined, user: undefined, name: undefined };

/**
 * Parses the filter in a client's first line, `{"events":["exit"],"user":"…","name":"…"}`, each key optional; undefined if the
 * line is not a filter. Unknown event types are ignored: a client may be newer than the daemon.
 */
export function parseFilter(line: string): ClientFilter | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { events, user, name } = value as Readonly<Record<string, unknown>>;
  if (events !== undefined && !Array.isArray(events)) return undefined;
  if (!isOptionalText(user) || !isOptionalText(name)) return undefined;
  const types = events === undefined ? undefined : new Set(processEventTypes.filter((type) => events.includes(type)));
  return { events: types, user, name };
}

/**
 * True if an event is wanted. An event without a user (a fork from a procMonitor server) is not wanted if the filter has one.
 */
export function passes({ events, user, name }: ClientFilter, line: EventLine): boolean {
  if (line.event === 'lost') return true;
  if (events !== undefined && !events.has(line.event)) return false;
  if (user !== undefined && user !== line.user) return false;
  return name === undefined || name === line.monitored || programName(line) === cutName(name);
}

/** Returns the name of an event's process: the kernel's, else that of the program it runs. */
export function programName(line: Exclude<EventLine, { event: 'lost' }>): string | undefined {
  if (line.comm !== undefined) return line.comm;
  if (line.event !== 'exec') return undefined;
  const program = line.cmdline.split(' ', 1)[0] ?? '';
  return cutName(program.slice(program.lastIndexOf('/') + 1)) || undefined;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
