import { DEFAULT_SECTION, type SectionReader } from '../core/config.ts';
import { ConfigError, type ConfigProblem, formatProblem } from '../core/errors.ts';
import { type Family, groupOf, isDefault, memberOf, sectionOf } from './families.ts';
import { readValue, type ValueKind } from './ini-value.ts';
import { ProblemList, shownProblem } from './problem-list.ts';
import type { IniDocument, IniSection } from './read-ini.ts';
import { IniSectionReader } from './section-reader.ts';
import { unknownEntries } from './unknown-entries.ts';

/** One file of the configuration. */
export interface ConfigPart {
  /** The path, for messages. */
  readonly file: string;
  readonly ini: IniDocument;
  /** What is wrong with the file itself, such as its mode. */
  readonly problems?: readonly ConfigProblem[];
  /** What is wrong with it if it contains a secret. */
  readonly ifSecret?: readonly ConfigProblem[];
}

/** A value of the configuration that somebody asked for. */
export interface KnownValue {
  readonly text: string;
  readonly kind: ValueKind;
}

/**
 * The configuration file and those of `config.d`, read section by section. Asking for a section or key makes it known;
 * `finish()` reports what nobody asked for. A key that is known in one section of a family is known in all.
 */
export class ConfigDocument {
  /** The path of the configuration file as given, for messages. */
  readonly file: string;
  readonly #parts: readonly ConfigPart[];
  readonly #sections = new Map<string, IniSection>();
  /** The files of sections that are not in the configuration file itself. */
  readonly #files = new Map<string, string>();
  readonly #problems: ProblemList;
  /** The first error of each section of a family that has errors. */
  readonly #refusals = new Map<string, ConfigProblem>();
  /** The keys with an error, by section. */
  readonly #faulty = new Map<string, Set<string>>();
  /** Whether there is an error outside of the sections of families. */
  #unusable = false;
  /** Keys that were asked for, each with the kind of its value, by groupOf. */
  readonly #asked = new Map<string, Map<string, ValueKind>>();

  /** `main`: the configuration file; `further`: those of `config.d`, in their order. */
  constructor(main: ConfigPart, further: readonly ConfigPart[] = []) {
    this.file = main.file;
    this.#parts = [main, ...further];
    this.#problems = new ProblemList(further.map(({ file }) => file));
    for (const part of this.#parts) this.#take(part);
  }

  /** Whether the section is in a file. */
  hasSection(name: string): boolean {
    return this.#sections.has(name);
  }

  /** A section of its own; an absent one reads as empty. */
  section(name: string): SectionReader {
    return this.#reader(name, undefined);
  }

  /**
   * `[FAMILY.NAME]` over `[FAMILY.default]`, key by key; NAME need not have a section. Undefined: what applies to those without
   * a section. Always read that too, or the problems of a default section without others go unnoticed.
   */
  member(family: Family, name: string | undefined): SectionReader {
    return this.#reader(sectionOf(family, name), sectionOf(family, undefined));
  }

  /** The names that have a section in the family, in the order of the files, without `default`. */
  names(family: Family): string[] {
    return [...this.#sections.keys()].flatMap((section) => {
      const member = memberOf(section);
      return member?.family === family && !isDefault(section) ? [member.name] : [];
    });
  }

  /** Whether the key is in exactly that section. */
  stands(section: string, key: string): boolean {
    return this.#sections.get(section)?.entries.has(key) ?? false;
  }

  /** The values that somebody asked for: section → key → value. Contains secrets; for describe-changes.ts. */
  values(): Map<string, Map<string, KnownValue>> {
    return new Map(
      [...this.#sections.values()].flatMap((section) => {
        const known = this.#knownValues(section);
        return known === undefined ? [] : [[section.name, known]];
      }),
    );
  }

  /**
   * Adds a problem, of the file in which its section is. `reader`: the section that was being read; the problem itself may be in
   * the default section of its family.
   */
  report(problem: ConfigProblem, reader?: string): void {
    const placed = this.#placed(problem);
    this.#problems.add(placed, reader);
    if (problem.severity === 'error') this.#judge(placed);
  }

  /**
   * Warns about one process at its own section, wherever `key` is: other processes may share the value, but not the problem.
   */
  warnOfProcess(processName: string, key: string, problem: string): void {
    this.report(this.processWarning(processName, key, problem));
  }

  /** The same warning, not reported. */
  processWarning(processName: string, key: string, problem: string): ConfigProblem {
    return this.#placed({ severity: 'warning', ...this.#placeOfProcess(processName, key), problem });
  }

  /**
   * A warning about a value that applies to a process, at the place of the value, which may be `[process.default]`; not
   * reported.
   */
  standingWarning(processName: string, key: string, problem: string): ConfigProblem {
    const inherited = this.#sections.get(DEFAULT_SECTION)?.entries.get(key);
    if (this.stands(sectionOf('process', processName), key) || inherited === undefined)
      return this.processWarning(processName, key, problem);
    return this.#placed({ severity: 'warning', line: inherited.line, section: DEFAULT_SECTION, key, problem });
  }

  /** Reports an error of one process, also at its own section: only this process is refused. */
  refuseProcess(processName: string, key: string, problem: string): void {
    this.report({ severity: 'error', ...this.#placeOfProcess(processName, key), problem });
  }

  /** All problems found so far, in the order of the files. */
  get problems(): readonly ConfigProblem[] {
    return this.#problems.list();
  }

  /** The problems of one process: at its own section, and at what it inherits from `[process.default]`. */
  problemsOf(processName: string): ConfigProblem[] {
    const own = sectionOf('process', processName);
    const shown = shownProblem({ severity: 'error', line: 0, section: own, key: '', problem: '' }).section;
    const inherits = (key: string): boolean => !this.stands(own, key);
    const met = this.#problems.foundIn(own, DEFAULT_SECTION);
    return met.filter(({ section, key }) => section === shown || (section === DEFAULT_SECTION && inherits(key)));
  }

  /** The names whose own sections have an error, each with the first one as `FILE:LINE: [section] key: problem`. */
  refusals(family: Family): ReadonlyMap<string, string> {
    return new Map(
      [...this.#refusals].flatMap(([section, problem]) => {
        const member = memberOf(section);
        return member?.family === family ? [[member.name, formatProblem(this.file, shownProblem(problem))]] : [];
      }),
    );
  }

  /** True unless there is an error outside of the sections of families. */
  get usable(): boolean {
    return !this.#unusable;
  }

  /** Whether an error of that key of that section was reported; without `key`: of anything in the section. */
  hasError(section: string, key?: string): boolean {
    const keys = this.#faulty.get(section);
    return keys !== undefined && (key === undefined || keys.has(key));
  }

  /**
   * Call this when every section has been read: it adds warnings about what nobody asked for, about invisible characters, and
   * about files with a secret that others can read. Returns all problems.
   */
  complete(): readonly ConfigProblem[] {
    const isFull = (): boolean => this.#problems.isFull('warning');
    for (const problem of unknownEntries(this.#sections.values(), this.#asked, isFull)) this.report(problem);
    for (const part of this.#parts)
      for (const problem of part.ifSecret ?? []) if (this.#holdsSecret(part)) this.#reportOf(part, problem);
    return this.problems;
  }

  /** The same; throws a ConfigError with all problems if there is an error outside of the sections of families. */
  finish(): readonly ConfigProblem[] {
    const problems = this.complete();
    if (!this.usable) throw new ConfigError(this.file, problems);
    return problems;
  }

  #judge(problem: ConfigProblem): void {
    const { section, key, line } = problem;
    this.#faulty.set(section, (this.#faulty.get(section) ?? new Set()).add(key));
    if (memberOf(section) === undefined || isDefault(section)) {
      this.#unusable = true;
      return;
    }
    const first = this.#refusals.get(section);
    if (first === undefined || line < first.line) this.#refusals.set(section, problem);
  }

  #placed(problem: ConfigProblem): ConfigProblem {
    const file = problem.file ?? this.#files.get(problem.section);
    return file === undefined ? problem : { ...problem, file };
  }

  /** Takes over the sections and problems of one file. */
  #take(part: ConfigPart): void {
    for (const problem of [...(part.problems ?? []), ...part.ini.problems]) this.#reportOf(part, problem);
    for (const section of part.ini.sections.values()) {
      const { name, line } = section;
      const first = this.#sections.get(name);
      if (first !== undefined) {
        const place = `${this.#files.get(name) ?? this.file}:${first.line}`;
        const problem = `the section is in ${place} too (expected in one file only)`;
        this.#reportOf(part, { severity: 'error', line, section: name, key: '', problem });
        continue;
      }
      this.#sections.set(name, section);
      if (part.file !== this.file) this.#files.set(name, part.file);
    }
  }

  #reportOf({ file }: ConfigPart, problem: ConfigProblem): void {
    this.report(file === this.file ? problem : { ...problem, file });
  }

  /** The values of a section that somebody asked for; undefined if nobody asked for the section. */
  #knownValues({ name, entries }: IniSection): Map<string, KnownValue> | undefined {
    const asked = this.#asked.get(groupOf(name));
    return (
      asked &&
      new Map(
        [...entries].flatMap(([key, { raw }]) => {
          const kind = asked.get(key);
          return kind === undefined ? [] : [[key, { text: readValue(kind, raw).text, kind }]];
        }),
      )
    );
  }

  #holdsSecret({ ini }: ConfigPart): boolean {
    const values = [...ini.sections.values()].flatMap((section) => [...(this.#knownValues(section)?.values() ?? [])]);
    return values.some(({ kind, text }) => kind === 'secret' && text !== '');
  }

  /** A process without a section has no place of its own, only that of the value it inherits. */
  #placeOfProcess(processName: string, key: string): Pick<ConfigProblem, 'file' | 'line' | 'section' | 'key'> {
    const section = sectionOf('process', processName);
    const own = this.#sections.get(section);
    if (own !== undefined) return { line: own.entries.get(key)?.line ?? own.line, section, key };
    const inherited = this.#sections.get(DEFAULT_SECTION)?.entries.get(key);
    const file = inherited && this.#files.get(DEFAULT_SECTION);
    return { ...(file !== undefined && { file }), line: inherited?.line ?? 0, section, key };
  }

  #reader(name: string, fallbackName: string | undefined): SectionReader {
    const own = this.#sections.get(name);
    const fallback = fallbackName === undefined || fallbackName === name ? undefined : this.#sections.get(fallbackName);
    const group = groupOf(name);
    const asked = this.#asked.get(group) ?? new Map<string, ValueKind>();
    this.#asked.set(group, asked);
    return new IniSectionReader({
      section: name,
      find: (key, kind) => {
        // Whoever only asks if it is there does not say what it is.
        if (kind !== 'plain' || !asked.has(key)) asked.set(key, kind);
        return own?.entries.get(key) ?? fallback?.entries.get(key);
      },
      keys: () => [...new Set([own, fallback].flatMap((section) => [...(section?.entries.keys() ?? [])]))],
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
