import type { EventLine } from '../core/event-line.ts';
import { type ProcessEventType, processEventTypes } from '../core/process-event.ts';

/** What of the stream a client wants; undefined: everything. */
export interface ClientFilter {
  readonly events: ReadonlySet<ProcessEventType> | undefined;
  /** The user's name. */
  readonly user: string | undefined;
  /** The process's own name (comm), or that of the watched process it belongs to. */
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

/** Whether a client with this filter gets the event; that events were lost is told to everyone. */
export function passes({ events, user, name }: ClientFilter, line: EventLine): boolean {
  if (line.event === 'lost') return true;
  if (events !== undefined && !events.has(line.event)) return false;
  if (user !== undefined && user !== line.user) return false;
  return name === undefined || name === line.comm || name === line.monitored;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
