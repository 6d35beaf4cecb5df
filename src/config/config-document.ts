import { DEFAULT_SECTION, type SectionReader } from '../core/config.ts';
import { ConfigError, type ConfigProblem, formatProblem } from '../core/errors.ts';
import { isSecretKey, readValue } from './ini-value.ts';
import { ProblemList, shownProblem } from './problem-list.ts';
import type { IniDocument } from './read-ini.ts';
import { IniSectionReader } from './section-reader.ts';
import { groupOf, PROCESS_PREFIX, unknownEntries } from './unknown-entries.ts';

/**
 * One configuration file, read section by section. Asking for a section or key makes it known; `finish()` reports what nobody
 * asked for. A key that is known in one process section is known in all.
 */
export class ConfigDocument {
  /** The path as given, for messages. */
  readonly file: string;
  readonly #ini: IniDocument;
  readonly #problems = new ProblemList();
  /** The first error of each process that has errors. */
  readonly #refusals = new Map<string, ConfigProblem>();
  /** The keys with an error, by section. */
  readonly #faulty = new Map<string, Set<string>>();
  /** Whether there is an error outside of the process sections. */
  #unusable = false;
  /** Keys that were asked for, by section; those of all process sections under `process.`. */
  readonly #asked = new Map<string, Set<string>>();

  constructor(file: string, ini: IniDocument) {
    this.file = file;
    this.#ini = ini;
  }

  /** Whether the section is in the file. */
  hasSection(name: string): boolean {
    return this.#ini.sections.has(name);
  }

  /** A section of its own; an absent one reads as empty. */
  section(name: string): SectionReader {
    return this.#reader(name, undefined);
  }

  /**
   * `[process.NAME]` over `[process.default]`, key by key; NAME need not have a section. Undefined: what applies to processes
   * without a section. Always read that too, or the problems of a `[process.default]` without other sections go unnoticed.
   */
  processSection(processName: string | undefined): SectionReader {
    return this.#reader(processName === undefined ? DEFAULT_SECTION : `${PROCESS_PREFIX}${processName}`, DEFAULT_SECTION);
  }

  /** The processes that have a section, in the order of the file, without `default`. */
  processNames(): string[] {
    const names = [...this.#ini.sections.keys()].filter((name) => name.startsWith(PROCESS_PREFIX) && name !== DEFAULT_SECTION);
    return names.map((name) => name.slice(PROCESS_PREFIX.length));
  }

  /** Whether the key is in exactly that section. */
  stands(section: string, key: string): boolean {
    return this.#ini.sections.get(section)?.entries.has(key) ?? false;
  }

  /** Whether the file contains a password or another secret. */
  holdsSecret(): boolean {
    return [...this.#ini.sections.values()].some((section) =>
      [...section.entries].some(([key, entry]) => isSecretKey(key) && readValue(key, entry.raw).text !== ''),
    );
  }

  /** The values in the file that somebody asked for: section → key → value. Contains secrets; for describe-changes.ts. */
  values(): Map<string, Map<string, string>> {
    const values = new Map<string, Map<string, string>>();
    for (const [name, section] of this.#ini.sections) {
      const asked = this.#asked.get(groupOf(name));
      if (asked === undefined) continue;
      const known = [...section.entries].filter(([key]) => asked.has(key));
      values.set(name, new Map(known.map(([key, entry]) => [key, readValue(key, entry.raw).text])));
    }
    return values;
  }

  /** Adds a problem. `reader`: the section that was being read; the problem itself may be in `[process.default]`. */
  report(problem: ConfigProblem, reader?: string): void {
    this.#problems.add(problem, reader);
    if (problem.severity === 'error') this.#judge(problem);
  }

  /**
   * Warns about one process at its own section, wherever `key` is: other processes may share the value, but not the problem.
   */
  warnOfProcess(processName: string, key: string, problem: string): void {
    this.report(this.processWarning(processName, key, problem));
  }

  /** The same warning, not reported. */
  processWarning(processName: string, key: string, problem: string): ConfigProblem {
    return { severity: 'warning', ...this.#placeOfProcess(processName, key), problem };
  }

  /**
   * A warning about a value that applies to a process, at the place of the value, which may be `[process.default]`; not
   * reported.
   */
  standingWarning(processName: string, key: string, problem: string): ConfigProblem {
    const own = this.#ini.sections.get(`${PROCESS_PREFIX}${processName}`);
    const inherited = this.#ini.sections.get(DEFAULT_SECTION)?.entries.get(key);
    if (own?.entries.has(key) === true || inherited === undefined) return this.processWarning(processName, key, problem);
    return { severity: 'warning', line: inherited.line, section: DEFAULT_SECTION, key, problem };
  }

  /** Reports an error of one process, also at its own section: only this process is refused. */
  refuseProcess(processName: string, key: string, problem: string): void {
    this.report({ severity: 'error', ...this.#placeOfProcess(processName, key), problem });
  }

  /** All problems found so far, in the order of the file. */
  get problems(): readonly ConfigProblem[] {
    return this.#problems.list();
  }

  /** The problems of one process: at its own section, and at what it inherits from `[process.default]`. */
  problemsOf(processName: string): ConfigProblem[] {
    const own = `${PROCESS_PREFIX}${processName}`;
    const shown = shownProblem({ severity: 'error', line: 0, section: own, key: '', problem: '' }).section;
    const inherits = (key: string): boolean => !this.stands(own, key);
    const met = this.#problems.foundIn(own, DEFAULT_SECTION);
    return met.filter(({ section, key }) => section === shown || (section === DEFAULT_SECTION && inherits(key)));
  }

  /** The processes whose own sections have an error, each with the first one as `FILE:LINE: [section] key: problem`. */
  get refusals(): ReadonlyMap<string, string> {
    return new Map([...this.#refusals].map(([name, problem]) => [name, formatProblem(this.file, shownProblem(problem))]));
  }

  /** True unless there is an error outside of the processes' own sections. */
  get usable(): boolean {
    return !this.#unusable;
  }

  /** Whether an error of that key of that section was reported; without `key`: of anything in the section. */
  hasError(section: string, key?: string): boolean {
    const keys = this.#faulty.get(section);
    return keys !== undefined && (key === undefined || keys.has(key));
  }

  /**
   * Call this when every section has been read: it adds warnings about what nobody asked for, and about invisible characters.
   * Returns all problems.
   */
  complete(): readonly ConfigProblem[] {
    for (const problem of unknownEntries(this.#ini, this.#asked, () => this.#problems.isFull('warning')))
      this.#problems.add(problem);
    return this.problems;
  }

  /** The same; throws a ConfigError with all problems if there is an error outside of the processes' own sections. */
  finish(): readonly ConfigProblem[] {
    const problems = this.complete();
    if (!this.usable) throw new ConfigError(this.file, problems);
    return problems;
  }

  #judge(problem: ConfigProblem): void {
    const { section, key, line } = problem;
    this.#faulty.set(section, (this.#faulty.get(section) ?? new Set()).add(key));
    if (!section.startsWith(PROCESS_PREFIX) || section === DEFAULT_SECTION) {
      this.#unusable = true;
      return;
    }
    const name = section.slice(PROCESS_PREFIX.length);
    const first = this.#refusals.get(name);
    if (first === undefined || line < first.line) this.#refusals.set(name, problem);
  }

  /** A process without a section has no line of its own, only that of the value it inherits. */
  #placeOfProcess(processName: string, key: string): Pick<ConfigProblem, 'line' | 'section' | 'key'> {
    const section = `${PROCESS_PREFIX}${processName}`;
    const own = this.#ini.sections.get(section);
    const inherited = own === undefined ? this.#ini.sections.get(DEFAULT_SECTION)?.entries.get(key)?.line : undefined;
    return { line: own?.entries.get(key)?.line ?? own?.line ?? inherited ?? 0, section, key };
  }

  #reader(name: string, fallbackName: string | undefined): SectionReader {
    const own = this.#ini.sections.get(name);
    const fallback = fallbackName === undefined ? undefined : this.#ini.sections.get(fallbackName);
    const group = groupOf(name);
    const asked = this.#asked.get(group) ?? new Set();
    this.#asked.set(group, asked);
    return new IniSectionReader({
      section: name,
      find: (key) => {
        asked.add(key);
        return own?.entries.get(key) ?? fallback?.entries.get(key);
      },
      report: (severity, key, problem) => {
        const standing = [own, fallback].find((section) => section?.entries.has(key));
        const line = standing?.entries.get(key)?.line ?? own?.line ?? 0;
        this.report({ severity, line, section: standing?.name ?? name, key, problem }, name);
      },
      refuse: (key, problem) => {
        const line = own?.entries.get(key)?.line ?? own?.line ?? 0;
        this.report({ severity: 'error', line, section: name, key, problem });
      },
    });
  }
}
