import type { EventLine } from '../../core/process/event-line.ts';
import { parseWaitStatus } from '../../core/process/wait-status.ts';

/**
 * Reads a line of an event stream; undefined if it is not an event. Servers that send only the keys of the procMonitor protocol
 * are read too: then the cause of an exit is taken from `exit_code`, the time is `arrived`, and a missing user is `unknown`.
 */
export function readEventLine(text: string, arrived: Date): EventLine | undefined {
  const fields = readObject(text);
  if (fields === undefined) return undefined;
  const { event, pid, child_pid, parent_pid, count } = fields;
  const time =
    typeof fields.time === 'string' && Number.isFinite(Date.parse(fields.time)) ? fields.time : arrived.toISOString();
  if (event === 'lost') return isCount(count) ? { event, count, time } : undefined;
  const context = { time, ...texts(fields, CONTEXT_TEXTS), ...counts(fields, ['ppid']) };
  if (event === 'fork') {
    return isCount(child_pid) && isCount(parent_pid)
      ? { event, child_pid, parent_pid, ...texts(fields, ['user']), ...context }
      : undefined;
  }
  if (!isCount(pid)) return undefined;
  const user = typeof fields.user === 'string' ? fields.user : 'unknown';
  switch (event) {
    case 'exec':
      return { event, pid, user, cmdline: typeof fields.cmdline === 'string' ? fields.cmdline : '', ...context };
    case 'exit':
      return readExit(fields, pid, user, context);
    case 'uid':
    case 'gid': {
      const { real, effective } = fields;
      return isCount(real) && isCount(effective) ? { event, pid, user, real, effective, ...context } : undefined;
    }
    case 'ptrace':
      return isCount(fields.tracer_pid) ? { event, pid, user, tracer_pid: fields.tracer_pid, ...context } : undefined;
    case 'sid':
    case 'coredump':
    case 'comm':
      return { event, pid, user, ...context };
    default:
      return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;
type Context = { readonly time: string; readonly comm?: string; readonly monitored?: string; readonly ppid?: number };

const CONTEXT_TEXTS = ['comm', 'monitored'] as const;

function readObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Those of `keys` that are texts. */
function texts<K extends string>(fields: Fields, keys: readonly K[]): { [key in K]?: string } {
  const found: { [key in K]?: string } = {};
  for (const key of keys) if (typeof fields[key] === 'string') found[key] = fields[key];
  return found;
}

/** Those of `keys` that are whole numbers from 0. */
function counts<K extends string>(fields: Fields, keys: readonly K[]): { [key in K]?: number } {
  const found: { [key in K]?: number } = {};
  for (const key of keys) if (isCount(fields[key])) found[key] = fields[key];
  return found;
}

function readExit(fields: Fields, pid: number, user: string, context: Context): EventLine | undefined {
  const { exit_code } = fields;
  if (!isCount(exit_code)) return undefined;
  const lifetime = fields.lifetime_ms;
  const lived = typeof lifetime === 'number' && lifetime >= 0 ? { lifetime_ms: lifetime } : {};
  const given = { ...counts(fields, ['exit_status']), ...texts(fields, ['signal']) };
  const ending = Object.keys(given).length === 0 ? endingOf(exit_code) : { ...given, ...dumped(fields.core_dumped === true) };
  return { event: 'exit', pid, exit_code, user, ...ending, ...lived, ...context };
}

/** The cause of the exit, from the raw wait status alone. */
function endingOf(status: number): { exit_status: number } | { signal: string; core_dumped?: true } {
  const end = parseWaitStatus(status);
  return end.kind === 'exited' ? { exit_status: end.code } : { signal: end.signal, ...dumped(end.coreDumped) };
}

function dumped(yes: boolean): { core_dumped?: true } {
  return yes ? { core_dumped: true } : {};
}
