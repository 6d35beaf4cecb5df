// Reads the options of the command `events`.
import { readFileSync, statSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { closest } from '../../config/did-you-mean.ts';
import { errorMessage } from '../../core/errors.ts';
import { type ProcessEventType, processEventTypes } from '../../core/process/event.ts';
import { parseHostPort } from '../../core/text/host-port.ts';

/** Reads `exec,exit,fork` for commander. */
export function kindsArgument(text: string): ReadonlySet<ProcessEventType> {
  const words = text.split(',').map((word) => word.trim());
  return new Set(words.map(kindOf));
}

function kindOf(word: string): ProcessEventType {
  const kind = processEventTypes.find((type) => type === word.toLowerCase());
  if (kind !== undefined) return kind;
  const near = closest(word, processEventTypes);
  const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
  throw new InvalidArgumentError(`Unknown event '${word}'${hint}; there are ${processEventTypes.join(', ')}.`);
}

/** Reads `PORT`, `HOST:PORT` or `[IPv6]:PORT` for commander; the default host is 127.0.0.1. */
export function tcpArgument(text: string): { readonly host: string; readonly port: number } {
  const place = parseHostPort(text);
  if (place === undefined) throw new InvalidArgumentError('Expected PORT, HOST:PORT or [IPv6]:PORT.');
  return { host: place.host ?? '127.0.0.1', port: place.port };
}

/** Reads the path of a socket for commander. */
export function socketArgument(path: string): string {
  if (path === '') throw new InvalidArgumentError('It is empty.');
  if (path.endsWith('/')) throw new InvalidArgumentError('It names a folder.');
  // sun_path of unix(7), without the final zero.
  if (Buffer.byteLength(path) > 107) throw new InvalidArgumentError('It is too long for a socket (107 bytes at most).');
  return path;
}

/** Reads `--clients` for commander. */
export function clientsArgument(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 1000) return count;
  throw new InvalidArgumentError('Expected a whole number from 1 to 1000.');
}

/** Reads a name or user for commander. */
export function wordArgument(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  if (Buffer.byteLength(text) > 255) throw new InvalidArgumentError('It is too long.');
  return text;
}

/** Reads the text of a file for commander (1 MiB at most); no message contains the text. */
export function fileArgument(path: string): string {
  try {
    const stat = statSync(path);
    if (stat.size > 1024 * 1024) throw new Error('it is larger than 1 MiB');
    if (!stat.isFile()) throw new Error('it is not a regular file');
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read: ${errorMessage(error)}.`);
  }
}

/** The problem of a password that does not fit the one line of 256 bytes of a login; undefined if there is none. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'the password is empty';
  if (/[\n\r\0]/.test(password)) return 'the password holds a line break';
  return Buffer.byteLength(password) > 256 ? 'the password is too long (256 bytes at most)' : undefined;
}
