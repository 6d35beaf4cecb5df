import type { ConfigProblem } from '../core/errors.ts';
import { counted } from '../core/text/counted.ts';
import { shownText } from './shown-value.ts';

/** The problems of a configuration: each listed once, safe for a log line, at most 200 errors and 200 warnings. */
export class ProblemList {
  /** ConfigProblem.file of those files that have one, in their order. */
  readonly #files: readonly string[];
  readonly #problems = new Map<string, { readonly problem: ConfigProblem; readonly readers: Set<string> }>();
  readonly #count = { error: 0, warning: 0 };
  readonly #omitted = { error: 0, warning: 0 };

  /** `files`: those of `config.d`, in the order in which they are read. */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  /** `reader`: the section that was being read; the problem itself may be in another one. */
  add(problem: ConfigProblem, reader: string = problem.section): void {
    const { file, severity, line, section, key } = problem;
    const identity = JSON.stringify([file, severity, line, section, key, problem.problem]);
    const known = this.#problems.get(identity);
    known?.readers.add(reader);
    if (known !== undefined) return;
    if (this.isFull(severity)) {
      this.#omitted[severity]++;
      return;
    }
    this.#count[severity]++;
    this.#problems.set(identity, { problem: shownProblem(problem), readers: new Set([reader]) });
  }

  /** The problems found while one of these sections was read, in the order of the files. */
  foundIn(...readers: readonly string[]): ConfigProblem[] {
    const met = [...this.#problems.values()].filter((known) => readers.some((reader) => known.readers.has(reader)));
    return this.#inOrder(met.map(({ problem }) => problem));
  }

  /** Whether another problem of this severity would only be counted. */
  isFull(severity: ConfigProblem['severity']): boolean {
    return this.#count[severity] >= MAX_OF_A_KIND;
  }

  /** The problems in the order of the files; those without a line come first, the counts of omitted ones last. */
  list(): ConfigProblem[] {
    const problems = this.#inOrder([...this.#problems.values()].map(({ problem }) => problem));
    for (const severity of ['error', 'warning'] as const) {
      const omitted = this.#omitted[severity];
      if (omitted === 0) continue;
      const problem = `and ${counted(omitted, `more ${severity}`, `more ${severity}s`)}`;
      problems.push({ severity, line: 0, section: '', key: '', problem, count: omitted });
    }
    return problems;
  }

  #inOrder(problems: ConfigProblem[]): ConfigProblem[] {
    const place = ({ file }: ConfigProblem): number => (file === undefined ? -1 : this.#files.indexOf(file));
    return problems.sort((a, b) => place(a) - place(b) || a.line - b.line);
  }
}

/** `problem` made safe for a log line. */
export function shownProblem({ file, severity, line, section, key, problem }: ConfigProblem): ConfigProblem {
  return {
    ...(file !== undefined && { file }),
    severity,
    line,
    section: shownText(section, MAX_NAME),
    key: shownText(key, MAX_NAME),
    problem: shownText(problem, MAX_PROBLEM),
  };
}

const MAX_OF_A_KIND = 200;
const MAX_NAME = 100;
const MAX_PROBLEM = 500;
