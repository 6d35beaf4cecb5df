// Reads the keys of one section as typed values, and reports invalid ones.
import type { NumberOptions, SectionReader } from '../core/config.ts';
import { closest } from './did-you-mean.ts';
import { readValue, type ValueKind } from './ini-value.ts';
import type { IniEntry } from './read-ini.ts';
import { shownText } from './shown-value.ts';

/** What a reader needs from its document. */
interface SectionSource {
  /** `monitor`, `process.nginx`. */
  readonly section: string;
  /** The entry that applies for `key`, which becomes known as a value of that kind; undefined if there is none. */
  find(key: string, kind: ValueKind): IniEntry | undefined;
  /** The keys of the entries that apply. */
  keys(): string[];
  /** Reports a problem at the line of `key`, or at the section's own line if the key is absent. */
  report(severity: 'error' | 'warning', key: string, problem: string): void;
  /** Reports an error of the section itself, wherever `key` is. */
  refuse(key: string, problem: string): void;
}

/**
 * SectionReader over an INI section. An empty value means the default of the key, as if the key were absent; but in
 * `[process.NAME]` it overrides the value of `[process.default]`. An empty number, switch or choice causes a warning, because
 * something is missing.
 */
export class IniSectionReader implements SectionReader {
  readonly section: string;
  readonly #source: SectionSource;

  constructor(source: SectionSource) {
    this.section = source.section;
    this.#source = source;
  }

  has(key: string): boolean {
    return this.#source.find(key, 'plain') !== undefined;
  }

  text(key: string): string | undefined {
    return this.#read(key, 'plain') || undefined;
  }

  command(key: string): string | undefined {
    return this.#read(key, 'command') || undefined;
  }

  secret(key: string): string | undefined {
    return this.#read(key, 'secret');
  }

  keys(): string[] {
    return this.#source.keys();
  }

  integer(key: string, options: NumberOptions): number {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
    return this.#number(key, /^-?\d{1,15}$/, `a whole number (${range(min, max)})`, { default: options.default, min, max });
  }

  secondsAsMs(key: string, options: NumberOptions): number {
    const { min = 0, max = LONGEST_TIMER_S } = options;
    const bounds = { default: options.default, min, max };
    return Math.round(this.#number(key, DECIMAL, `seconds (${range(min, max)})`, bounds) * 1000);
  }

  boolean(key: string, fallback: boolean): boolean {
    const text = this.#word(key, fallback ? 'true' : 'false')?.toLowerCase();
    if (text === undefined) return fallback;
    if (['true', 'yes', 'on', '1'].includes(text)) return true;
    if (!['false', 'no', 'off', '0'].includes(text)) this.#unexpected(key, 'true or false', text, SWITCHES);
    else return false;
    return fallback;
  }

  choice<T extends string>(key: string, values: readonly T[], fallback: T): T {
    const text = this.#word(key, fallback);
    if (text === undefined) return fallback;
    const found = values.find((value) => value === text) ?? values.find((value) => value === text.toLowerCase());
    if (found === undefined) this.#unexpected(key, oneOf(values), text, values);
    return found ?? fallback;
  }

  list(key: string): string[] {
    const items = (this.text(key) ?? '').split(',').map((item) => item.trim());
    return items.filter((item) => item !== '');
  }

  problem(key: string, problem: string): void {
    this.#source.report('error', key, problem);
  }

  refuse(key: string, problem: string): void {
    this.#source.refuse(key, problem);
  }

  warning(key: string, problem: string): void {
    this.#source.report('warning', key, problem);
  }

  #read(key: string, kind: ValueKind): string | undefined {
    const entry = this.#source.find(key, kind);
    if (entry === undefined) return undefined;
    const { text, remark } = readValue(kind, entry.raw);
    if (remark !== undefined) this.warning(key, remark);
    return text;
  }

  /** The value of a key that must not be left empty by mistake. */
  #word(key: string, fallback: string): string | undefined {
    const text = this.#read(key, 'plain');
    if (text === '') this.warning(key, `is empty; the default is used (${fallback})`);
    return text || undefined;
  }

  #number(key: string, form: RegExp, expected: string, bounds: Required<NumberOptions>): number {
    const text = this.#word(key, String(bounds.default));
    if (text === undefined) return bounds.default;
    const value = form.test(text) ? Number(text) : Number.NaN;
    if (value >= bounds.min && value <= bounds.max) return value;
    this.#unexpected(key, expected, text);
    return bounds.default;
  }

  #unexpected(key: string, expected: string, text: string, values: readonly string[] = []): void {
    const meant = closest(text, values);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    this.problem(key, `invalid value "${shownText(text, MAX_SHOWN)}", expected ${expected}${hint}`);
  }
}

/** Digits with at most one decimal point: no sign, no exponent, no unit, no other base. */
export const DECIMAL: RegExp = /^(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})$/;

/** Node's timers fire at once beyond 2^31 - 1 ms. This is the largest duration that may become a timer, about 24 days. */
const LONGEST_TIMER_S = 2_147_483;
const MAX_SHOWN = 60;
const SWITCHES = ['true', 'false', 'yes', 'no', 'on', 'off'];

function range(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `${min} to ${max}`;
}

function oneOf(values: readonly string[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
