// Reads one line of an INI text.
import { groupOf, groupWords, memberOf } from './families.ts';

/** What one line of an INI text is. */
type IniLine =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'section'; readonly name: string }
  | { readonly kind: 'entry'; readonly key: string; readonly raw: string }
  /**
   * `header`: it was meant as a section header. `problem` never quotes the line, because it may contain a misplaced password.
   */
  | { readonly kind: 'unreadable'; readonly header: boolean; readonly problem: string };

/**
 * Reads one line, without its line feed.
 * - blank, or the first non-blank character is `;` or `#`: nothing
 * - `[NAME]`, a comment may follow; NAME ends at the first `]` that is followed only by blanks or a comment, so it may contain
 *   brackets, `;` and `#`. Blanks around NAME are removed, except in a name of a family: that is everything after `process.`
 * - `key = value`: the key without surrounding blanks, the value from directly after the first `=`
 */
export function readLine(content: string): IniLine {
  const line = content.endsWith('\r') ? content.slice(0, -1) : content;
  const start = line.trimStart();
  if (start === '' || start.startsWith(';') || start.startsWith('#')) return { kind: 'nothing' };
  const header = start.startsWith('[');
  if (line.length > MAX_LENGTH)
    return { kind: 'unreadable', header, problem: 'the line is too long (expected at most 65536 characters)' };
  if (CONTROL_CHARACTER.test(line)) return { kind: 'unreadable', header, problem: 'the line holds a control character' };
  return header ? readHeader(start) : readEntry(line);
}

const MAX_LENGTH = 65_536;
const CONTROL_CHARACTER = /[\u0000-\u0008\u000a-\u001f\u007f]/;

function readHeader(start: string): IniLine {
  const unreadable = (problem: string): IniLine => ({ kind: 'unreadable', header: true, problem });
  const end = start.search(/\](?=\s*(?:[;#]|$))/);
  if (end < 0 && start.includes(']')) return unreadable('text after the section header (expected a comment or nothing)');
  if (end < 0) return unreadable('the section header is not closed (expected "]")');
  const inside = start.slice(1, end);
  const member = memberOf(inside.trimStart());
  const name = member === undefined ? inside.trim() : inside.trimStart();
  if (name === '') return unreadable('the section has no name');
  if (member?.name.trim() === '') return unreadable(`the ${member.family} has no name (expected ${groupWords(groupOf(name))})`);
  return { kind: 'section', name };
}

function readEntry(line: string): IniLine {
  const equals = line.indexOf('=');
  if (equals < 0) {
    const got = /^\s*[\w-]+\s*:(?!:)/.test(line) ? ', got ":" instead of "="' : '';
    const problem = `cannot be read (expected "key = value", a [section] or a comment${got})`;
    return { kind: 'unreadable', header: false, problem };
  }
  const key = line.slice(0, equals).trim();
  if (key === '') return { kind: 'unreadable', header: false, problem: 'a value without a key (expected "key = value")' };
  return { kind: 'entry', key, raw: line.slice(equals + 1) };
}
