// Builds the lines of the log.

import { localTimestamp } from '../core/clock.ts';
import type { LogFields, LogLevel } from '../core/logger.ts';
import { counted } from '../core/text/counted.ts';
import { printable } from '../core/text/printable.ts';

/** One line on its way to the sinks; printable, without a line end. */
export interface LogLine {
  readonly level: LogLevel;
  /** The bare message, with the error's message if it does not contain that already. */
  readonly message: string;
  /** `YYYY-MM-DD HH:MM:SS  [LEVEL] - message`, as the bash service writes it. */
  readonly text: string;
  /** The whole line including its fields, as JSON. */
  readonly json: string;
}

/** Returns `YYYY-MM-DD HH:MM:SS  [LEVEL] - message`. */
export function textLine(date: Date, level: LogLevel, message: string): string {
  return `${localTimestamp(date)}  [${level.toUpperCase()}] - ${message}`;
}

/** The writer of a line, as its JSON names it. */
export interface LogOrigin {
  /** `[host] name`. */
  readonly host: string;
  /** The pid of this process. */
  readonly pid: number;
}

/** Builds a line without fields from a printable `message`. */
export function plainLine(date: Date, level: LogLevel, message: string, { host, pid }: LogOrigin): LogLine {
  const json = JSON.stringify({ level, time: date.toISOString(), host, pid, msg: message });
  return { level, message, text: textLine(date, level, message), json };
}

/** Makes `message` printable and cuts it at 4,000 characters. */
export function cleanMessage(message: unknown): string {
  return cleanText(typeof message === 'string' ? message : String(message));
}

/**
 * Makes `fields` printable at any depth. Cuts each text at 4,000 characters and each list at 50 items. A field with one of our
 * own names gets a `_` appended.
 */
export function cleanFields(fields: LogFields): Record<string, unknown> {
  const clean = Object.entries(fields).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    clean.flatMap(([key, value]) => {
      const name = cleanText(key);
      return value === undefined ? [] : [[RESERVED.has(name) ? `${name}_` : name, cleanValue(value, MAX_DEPTH)]];
    }),
  );
}

/** Returns the message, and the error's message if it does not contain that already. */
export function withError(message: string, error: unknown): string {
  const errorText = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  return typeof errorText !== 'string' || errorText === '' || message.includes(errorText)
    ? message
    : `${message}: ${errorText}`;
}

const MAX_TEXT = 4_000;
const MAX_ITEMS = 50;
const MAX_DEPTH = 4;
/** Names that every line has: a second field with such a name would occur twice in the JSON, or replace ours. */
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'host', 'pid', 'msg']);

function cleanText(text: string): string {
  const cut =
    text.length > MAX_TEXT
      ? `${text.slice(0, MAX_TEXT)}… (${counted(text.length - MAX_TEXT, 'more character', 'more characters')})`
      : text;
  return printable(cut.toWellFormed());
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return typeof value === 'object' ? cleanObject(value, depth) : cleanText(String(value));
}

function cleanObject(value: object, depth: number): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (depth === 0) return '…';
  if (value instanceof Error) return cleanError(value, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => cleanValue(item, depth - 1));
  const entries = Object.entries(value instanceof Map ? Object.fromEntries(value) : value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([key, item]) => [cleanText(key), cleanValue(item, depth - 1)]));
}

function cleanError(error: Error, depth: number): Record<string, unknown> {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return {
    type: cleanText(error.name),
    message: cleanText(error.message),
    ...(code === undefined ? {} : { code: cleanValue(code, 0) }),
    ...(cause === undefined ? {} : { cause: cleanValue(cause, depth - 1) }),
    ...(error.stack === undefined ? {} : { stack: cleanText(error.stack) }),
  };
}
