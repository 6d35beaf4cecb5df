import type { EventLine } from '../../core/process/event-line.ts';
import { parseWaitStatus } from '../../core/process/wait-status.ts';
import {
  check,
  fields,
  oneOf,
  otherwise,
  plainObject,
  type Shape,
  such,
  text,
  unexpected,
  wholeNumber,
  yes,
} from '../../core/shape.ts';

/**
 * Reads a line of an event stream; undefined if it is not an event. Servers that send only the keys of the procMonitor protocol
 * are read too: then the cause of an exit is taken from `exit_code`, the time is `arrived`, and a missing user is `unknown`.
 */
export function readEventLine(line: string, arrived: Date): EventLine | undefined {
  const read = check(eventLine, parsed(line));
  if (read.kind === 'misfit') return undefined;
  const { value } = read;
  const timed = value.time === NO_TIME ? { ...value, time: arrived.toISOString() } : value;
  return timed.event === 'exit' ? withEnding(timed) : timed;
}

/** Any of the shapes of `eventLines`. */
const eventLine: Shape<EventLine> = (value, where) => {
  const { event } = plainObject(value, where);
  return eventLines[eventType(event, 'event')](value, where);
};

type LineOf<Type extends EventLine['event']> = EventLine & { readonly event: Type };

const NO_TIME = '';
const count = wholeNumber(0);

const context = {
  time: otherwise(
    such(text, 'a time', (time) => Number.isFinite(Date.parse(time))),
    NO_TIME,
  ),
  comm: otherwise(text, undefined),
  ppid: otherwise(count, undefined),
  monitored: otherwise(text, undefined),
};
const subject = { pid: count, user: otherwise(text, 'unknown'), ...context };

const eventLines: { readonly [Type in EventLine['event']]: Shape<EventLine> } = {
  fork: fields<LineOf<'fork'>>({
    event: oneOf('fork'),
    child_pid: count,
    parent_pid: count,
    user: otherwise(text, undefined),
    ...context,
  }),
  exec: fields<LineOf<'exec'>>({ event: oneOf('exec'), ...subject, cmdline: otherwise(text, '') }),
  exit: fields<LineOf<'exit'>>({
    event: oneOf('exit'),
    ...subject,
    exit_code: count,
    exit_status: otherwise(count, undefined),
    signal: otherwise(text, undefined),
    core_dumped: otherwise(yes, undefined),
    lifetime_ms: otherwise(duration, undefined),
  }),
  uid: fields<LineOf<'uid'>>({ event: oneOf('uid'), ...subject, real: count, effective: count }),
  gid: fields<LineOf<'gid'>>({ event: oneOf('gid'), ...subject, real: count, effective: count }),
  ptrace: fields<LineOf<'ptrace'>>({ event: oneOf('ptrace'), ...subject, tracer_pid: count }),
  sid: fields<LineOf<'sid'>>({ event: oneOf('sid'), ...subject }),
  coredump: fields<LineOf<'coredump'>>({ event: oneOf('coredump'), ...subject }),
  comm: fields<LineOf<'comm'>>({ event: oneOf('comm'), ...subject }),
  lost: fields<LineOf<'lost'>>({ event: oneOf('lost'), count, time: context.time }),
};

const eventType = oneOf(...(Object.keys(eventLines) as EventLine['event'][]));

/** Milliseconds, perhaps with a fraction. */
function duration(value: unknown, where: string): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw unexpected(where, 'a number of at least 0', value);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** With how the process ended: as the server says, or else from the raw wait status. */
function withEnding(line: LineOf<'exit'>): EventLine {
  if (line.exit_status !== undefined || line.signal !== undefined) return line;
  const end = parseWaitStatus(line.exit_code);
  return end.kind === 'exited'
    ? { ...line, exit_status: end.code }
    : { ...line, signal: end.signal, ...(end.coreDumped && { core_dumped: true }) };
}
