import { cutName } from '../core/process/comm.ts';
import { type ProcessEventType, processEventTypes } from '../core/process/event.ts';
import type { EventLine } from '../core/process/event-line.ts';

/** What of a stream is wanted; undefined: everything. `lost` always is. */
export interface ClientFilter {
  readonly events: ReadonlySet<ProcessEventType> | undefined;
  /** The user's name. */
  readonly user: string | undefined;
  /** The process's own name (its first 15 bytes are compared), or that of the watched process it belongs to. */
  readonly name: string | undefined;
}

/** What a client gets that has asked for nothing. */
export const everything: ClientFilter = { events: undefined, user: undefined, name: undefined };

/**
 * The filter of a client's first line, `{"events":["exit"],"user":"…","name":"…"}`, each key optional; undefined where the line is
 * none. Kinds of events that there are not are passed over: a client may be newer than we are.
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
 * Whether an event is wanted. One that does not say whose it is (a fork of a server of seed 002) is not, where that was asked for.
 */
export function passes({ events, user, name }: ClientFilter, line: EventLine): boolean {
  if (line.event === 'lost') return true;
  if (events !== undefined && !events.has(line.event)) return false;
  if (user !== undefined && user !== line.user) return false;
  return name === undefined || name === line.monitored || programName(line) === cutName(name);
}

/** The name of an event's process: the kernel's, else that of the program it runs. */
export function programName(line: Exclude<EventLine, { event: 'lost' }>): string | undefined {
  if (line.comm !== undefined) return line.comm;
  if (line.event !== 'exec') return undefined;
  const program = line.cmdline.split(' ', 1)[0] ?? '';
  return cutName(program.slice(program.lastIndexOf('/') + 1)) || undefined;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
