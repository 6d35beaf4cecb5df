import { DEFAULT_SECTION } from '../core/config.ts';
import { unseenIn } from '../core/printable.ts';
import { closest } from './did-you-mean.ts';

/**
 * The section that a header most likely means, as it must be written: one of `known`, or that of a process. Undefined if nothing can be
 * said: a process without a name, a name too long to be shown, or one that holds what is not seen.
 */
export function meantSection(header: string, known: Iterable<string>): string | undefined {
  const [, word = '', rest = ''] = /^([a-z]+)[\s.:/\\_-]+(.*)$/is.exec(header) ?? [];
  const isProcess = closest(word, ['process', 'service']) !== undefined;
  const near = isProcess ? undefined : closest(header, [...known, 'default']);
  if (near !== undefined) return near === 'default' ? `[${DEFAULT_SECTION}]` : `[${near}]`;
  const name = isProcess ? rest.trim() : header;
  if (name === '' || closest(name, ['process']) !== undefined) return undefined;
  if (name.length > LONGEST || unseenIn(name) !== undefined || /\p{Cc}/u.test(name)) return undefined;
  return `[process.${name}]`;
}

/** A longer one would not be shown whole. */
const LONGEST = 80;
