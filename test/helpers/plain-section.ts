import type { NumberOptions, SectionReader } from '../../src/core/config.ts';

/** A section of given texts, that keeps what was reported: `key: problem`. Its fallback is nothing. */
export class PlainSection implements SectionReader {
  readonly section = 'process.test';
  readonly problems: string[] = [];
  readonly #values: Readonly<Record<string, string>>;

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = values;
  }

  has(key: string): boolean {
    return this.text(key) !== undefined;
  }
  text(key: string): string | undefined {
    return this.#values[key] || undefined;
  }
  command(key: string): string | undefined {
    return this.text(key);
  }
  secret(key: string): string | undefined {
    return this.text(key);
  }
  keys(): string[] {
    return Object.keys(this.#values);
  }
  integer(key: string, options: NumberOptions): number {
    return Number(this.text(key) ?? options.default);
  }
  secondsAsMs(key: string, options: NumberOptions): number {
    return this.integer(key, options) * 1000;
  }
  boolean(key: string, fallback: boolean): boolean {
    return this.text(key) === undefined ? fallback : this.text(key) === 'true';
  }
  choice<T extends string>(key: string, values: readonly T[], fallback: T): T {
    return values.find((value) => value === this.text(key)) ?? fallback;
  }
  list(key: string): string[] {
    const items = (this.text(key) ?? '').split(',').map((item) => item.trim());
    return items.filter((item) => item !== '');
  }
  problem(key: string, problem: string): void {
    this.problems.push(`${key}: ${problem}`);
  }
  refuse(key: string, problem: string): void {
    this.problem(key, problem);
  }
  warning(key: string, problem: string): void {
    this.problem(key, problem);
  }
}
