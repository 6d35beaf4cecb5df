// Reads an INI text into sections and entries.
import { parse } from 'ini';
import type { ConfigProblem } from '../core/errors.ts';
import { memberOf } from './families.ts';
import { readLine } from './ini-line.ts';

/** One `key = value` of the file. */
export interface IniEntry {
  /** Everything after the first `=`, including blanks and comments: its meaning depends on the key (ini-value.ts). */
  readonly raw: string;
  /** 1-based. */
  readonly line: number;
}

/** One section; a repeated section is one section. */
export interface IniSection {
  readonly name: string;
  /** The line of its first header, 1-based. */
  readonly line: number;
  /** By key, in the order of the file; the last entry of a repeated key. */
  readonly entries: ReadonlyMap<string, IniEntry>;
}

/** The content of an INI text. */
export interface IniDocument {
  /** By name, in the order of the file. */
  readonly sections: ReadonlyMap<string, IniSection>;
  /** Lines that cannot be read (errors), and repeated sections and keys (warnings), in the order of the file. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads an INI text. A BOM is ignored; lines end in LF or CRLF. Never throws; takes time linear in the text. After 100 lines
 * that cannot be read it gives up: the file is something else. Source: the bash service.
 *
 * ini-line.ts and ini-value.ts decide what a line means, because the package `ini` cuts values at `;` and `#`, turns `true`
 * and `null` into other types, nests names at dots, drops `__proto__` and makes arrays of `key[]`. The package gets the file
 * with every name and value replaced by a neutral token, and only groups them: it joins repeated sections and keeps the last
 * of a repeated key.
 */
export function readIni(text: string): IniDocument {
  const scan = new Scan();
  const lines = (text.startsWith('\ufeff') ? text.slice(1) : text).split('\n');
  for (const [index, content] of lines.entries()) {
    if (!scan.take(content, index + 1)) break;
  }
  return { sections: scan.sections(), problems: scan.problems };
}

/** Turns the lines of one text into tokens, one by one, and keeps what the tokens stand for. */
class Scan {
  readonly problems: ConfigProblem[] = [];
  readonly #tokens: string[] = [];
  readonly #words = new Words();
  readonly #values = new Map<string, IniEntry>();
  readonly #headers = new Map<string, Header>();
  #current: Header | 'none' | 'unreadable' = 'none';
  #unreadable = 0;

  /** False if there were too many lines that cannot be read. */
  take(content: string, line: number): boolean {
    const read = readLine(content);
    switch (read.kind) {
      case 'nothing':
        break;
      case 'section':
        this.#takeHeader(read.name, line);
        break;
      case 'entry':
        this.#takeEntry(read.key, { raw: read.raw, line });
        break;
      case 'unreadable':
        if (read.header) this.#current = 'unreadable';
        this.#fail(line, read.problem);
        break;
      default:
        read satisfies never;
    }
    if (this.#unreadable < MAX_UNREADABLE) return true;
    // Not an error of a section: the following sections are not known.
    this.#current = 'none';
    this.#fail(line, 'too many lines that cannot be read: the rest is ignored');
    return false;
  }

  sections(): Map<string, IniSection> {
    const grouped: Record<string, Record<string, string>> = parse(this.#tokens.join('\n'));
    const sections = new Map<string, IniSection>();
    for (const header of this.#headers.values()) {
      const entries = new Map<string, IniEntry>();
      for (const [key, value] of Object.entries(grouped[this.#words.tokenOf(header.name)] ?? {})) {
        const entry = this.#values.get(value);
        if (entry) entries.set(this.#words.wordOf(key), entry);
      }
      sections.set(header.name, { name: header.name, line: header.line, entries });
    }
    return sections;
  }

  #takeHeader(name: string, line: number): void {
    const known = this.#headers.get(name);
    this.#current = known ?? { name, line, keys: new Map() };
    this.#headers.set(name, this.#current);
    this.#tokens.push(`[${this.#words.tokenOf(name)}]`);
    if (known) this.#warn(line, '', `the section is repeated (first in line ${known.line}); both are read as one`);
    else if (name !== name.trim() || /^\s/.test(memberOf(name)?.name ?? ''))
      this.#warn(line, '', 'the name begins or ends with a blank');
  }

  #takeEntry(key: string, entry: IniEntry): void {
    // After a header that cannot be read, reporting each line would hide the cause.
    if (this.#current === 'unreadable') return;
    if (this.#current === 'none') {
      this.#fail(entry.line, 'is before the first [section] (expected a line such as [monitor] above it)');
      return;
    }
    const first = this.#current.keys.get(key);
    if (first === undefined) this.#current.keys.set(key, entry.line);
    else this.#warn(entry.line, key, `is repeated (first in line ${first}); the last one is used`);
    const value = `v${entry.line}`;
    this.#values.set(value, entry);
    this.#tokens.push(`${this.#words.tokenOf(key)}=${value}`);
  }

  #warn(line: number, key: string, problem: string): void {
    this.problems.push({ severity: 'warning', line, section: this.#section, key, problem });
  }

  #fail(line: number, problem: string): void {
    this.#unreadable++;
    this.problems.push({ severity: 'error', line, section: this.#section, key: '', problem });
  }

  get #section(): string {
    return typeof this.#current === 'string' ? '' : this.#current.name;
  }
}

const MAX_UNREADABLE = 100;

interface Header {
  readonly name: string;
  readonly line: number;
  /** The line of each key's first entry. */
  readonly keys: Map<string, number>;
}

/** Names of sections and keys, each with its token. */
class Words {
  readonly #tokens = new Map<string, string>();
  readonly #words = new Map<string, string>();

  tokenOf(word: string): string {
    const token = this.#tokens.get(word) ?? `t${this.#tokens.size}`;
    this.#tokens.set(word, token);
    this.#words.set(token, word);
    return token;
  }

  wordOf(token: string): string {
    return this.#words.get(token) ?? token;
  }
}
