import { parse } from 'ini';
import type { ConfigProblem } from '../core/errors.ts';
import { readLine } from './ini-line.ts';

/** One `key = value` of the file. */
export interface IniEntry {
  /** Everything after the first `=`, blanks and comments included: what it means depends on the key (ini-value.ts). */
  readonly raw: string;
  /** 1-based. */
  readonly line: number;
}

/** One section; a section that stands twice is one section. */
export interface IniSection {
  readonly name: string;
  /** Where it stands first, 1-based. */
  readonly line: number;
  /** By key, in the order of the file; of a repeated key the last one. */
  readonly entries: ReadonlyMap<string, IniEntry>;
}

/** What stands in an INI text. */
export interface IniDocument {
  /** By name, in the order of the file. */
  readonly sections: ReadonlyMap<string, IniSection>;
  /** Lines that cannot be read (errors), and repeated sections and keys (warnings), in the order of the file. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads an INI text. A BOM is ignored; lines end in LF or CRLF. Never throws; takes time linear in the text. After 100 lines
 * that cannot be read it gives up: the file is something else. Source: seed 000.
 *
 * What a line means is decided in ini-line.ts and ini-value.ts: the package `ini` cuts values at `;` and `#`, turns `true` and
 * `null` into other types, nests names at dots, swallows `__proto__` and makes arrays of `key[]`. It is handed the file with
 * every name and value replaced by a token that means nothing to it, and groups them: repeated sections joined, the last of
 * a repeated key.
 */
export function readIni(text: string): IniDocument {
  const scan = scanLines(text.startsWith('\ufeff') ? text.slice(1) : text);
  const grouped: Record<string, Record<string, string>> = parse(scan.tokens.join('\n'));
  const sections = new Map<string, IniSection>();
  for (const [sectionToken, keys] of Object.entries(grouped)) {
    const { word: name, line } = scan.sections.at(sectionToken);
    const entries = new Map<string, IniEntry>();
    for (const [keyToken, valueToken] of Object.entries(keys)) {
      const value = scan.values.at(valueToken);
      entries.set(scan.keys.at(keyToken).word, { raw: value.word, line: value.line });
    }
    sections.set(name, { name, line, entries });
  }
  return { sections, problems: scan.problems };
}

/** What is left of a text once its words are taken out: tokens for `ini`, and the words they stand for. */
interface Scan {
  readonly tokens: string[];
  readonly sections: Words;
  readonly keys: Words;
  readonly values: Words;
  readonly problems: ConfigProblem[];
}

function scanLines(text: string): Scan {
  const scan: Scan = { tokens: [], sections: new Words('s'), keys: new Words('k'), values: new Words('v'), problems: [] };
  /** Where each key of each section stands first. */
  const seen = new Map<string, Map<string, number>>();
  let section = '';
  let keys: Map<string, number> | undefined;
  // Entries below a header that cannot be read belong to a section we do not know: to report each would bury the cause.
  let lost = false;
  let unreadable = 0;

  for (const [index, content] of text.split('\n').entries()) {
    const line = index + 1;
    const warn = (key: string, problem: string): void => {
      scan.problems.push({ severity: 'warning', line, section, key, problem });
    };
    const fail = (problem: string): void => {
      scan.problems.push({ severity: 'error', line, section, key: '', problem });
      unreadable++;
    };
    const read = readLine(content);
    switch (read.kind) {
      case 'nothing':
        break;
      case 'unreadable':
        if (read.header) section = '';
        if (read.header) keys = undefined;
        lost ||= read.header;
        fail(read.problem);
        break;
      case 'section': {
        section = read.name;
        lost = false;
        const first = scan.sections.find(section);
        if (first) warn('', `the section stands twice (first in line ${first.line}); both are read as one`);
        else if (hasOuterBlank(section)) warn('', "the process's name begins or ends with a blank");
        scan.tokens.push(`[${scan.sections.add(section, section, line)}]`);
        keys = seen.get(section) ?? new Map();
        seen.set(section, keys);
        break;
      }
      case 'entry': {
        if (keys === undefined) {
          if (!lost) fail('stands before any [section]');
          break;
        }
        const first = keys.get(read.key);
        if (first !== undefined) warn(read.key, `stands twice (first in line ${first}); the last one holds`);
        else keys.set(read.key, line);
        scan.tokens.push(`${scan.keys.add(read.key, read.key, line)}=${scan.values.add(String(line), read.raw, line)}`);
        break;
      }
      default:
        read satisfies never;
    }
    if (unreadable >= MAX_UNREADABLE) {
      fail('too many lines that cannot be read; the rest is not looked at');
      break;
    }
  }
  return scan;
}

const MAX_UNREADABLE = 100;

function hasOuterBlank(section: string): boolean {
  const name = section.slice(section.indexOf('.') + 1);
  return name !== name.trim();
}

interface Word {
  readonly token: string;
  readonly word: string;
  readonly line: number;
}

/** Words and the tokens that stand for them: a letter and a number. */
class Words {
  readonly #prefix: string;
  readonly #byId = new Map<string, Word>();
  readonly #byToken = new Map<string, Word>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The token of the word known as `id`, which is new or was added before. */
  add(id: string, word: string, line: number): string {
    const known = this.#byId.get(id) ?? { token: `${this.#prefix}${this.#byId.size}`, word, line };
    this.#byId.set(id, known);
    this.#byToken.set(known.token, known);
    return known.token;
  }

  find(id: string): Word | undefined {
    return this.#byId.get(id);
  }

  at(token: string): Word {
    const word = this.#byToken.get(token);
    if (word === undefined) throw new Error(`no word for the token ${token}`);
    return word;
  }
}
