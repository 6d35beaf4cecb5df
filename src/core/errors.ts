// Errors with a stable code, and the lines in which they are shown.
import { counted } from './text/counted.ts';

/** One problem of a configuration file. */
export interface ConfigProblem {
  /** The file, if it is not the configuration file itself but one of `config.d`. */
  readonly file?: string;
  readonly severity: 'error' | 'warning';
  /** 1-based line; 0 if no line is the cause (a missing section, the file itself). */
  readonly line: number;
  /** Without brackets; empty for the file itself. */
  readonly section: string;
  /** Empty if the whole section is meant. */
  readonly key: string;
  /** One line that says what was found and what was expected. Never contains a secret. */
  readonly problem: string;
  /** How many problems it stands for that are not listed one by one; absent: it stands for itself. */
  readonly count?: number;
}

/** The number of problems of that severity, including those that are only counted. */
export function countProblems(problems: readonly ConfigProblem[], severity: ConfigProblem['severity']): number {
  return problems.reduce((sum, problem) => sum + (problem.severity === severity ? (problem.count ?? 1) : 0), 0);
}

/** An invalid configuration, with every problem found in it. Exit code 78 (EX_CONFIG, sysexits.h). */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => formatProblem(file, problem)).join('\n'));
    this.name = 'ConfigError';
    this.file = file;
    this.problems = problems;
  }
}

/** The lines that report an invalid file: each problem, and last their number. */
export function problemLines(file: string, problems: readonly ConfigProblem[]): string[] {
  const counts = { errors: countProblems(problems, 'error'), warnings: countProblems(problems, 'warning') };
  return [...problems.map((problem) => problemLine(file, problem)), unusableWords(file, counts)];
}

/** `FILE cannot be used: 1 error, 3 warnings`. */
export function unusableWords(file: string, counts: { readonly errors: number; readonly warnings: number }): string {
  return `${file} cannot be used: ${foundWords(counts)}`;
}

/** `1 error, 3 warnings`. */
export function foundWords({ errors, warnings }: { readonly errors: number; readonly warnings: number }): string {
  return `${counted(errors, 'error', 'errors')}, ${counted(warnings, 'warning', 'warnings')}`;
}

/** A problem for people and editors; a warning is marked as one. */
export function problemLine(file: string, problem: ConfigProblem): string {
  return `${formatProblem(file, problem)}${problem.severity === 'warning' ? ' (warning)' : ''}`;
}

/** `FILE:LINE: [section] key: problem`, without the parts that are unknown. */
export function formatProblem(mainFile: string, { file = mainFile, line, section, key, problem }: ConfigProblem): string {
  const place = line > 0 ? `${file}:${line}:` : `${file}:`;
  return [place, section && `[${section}]`, key && `${key}:`, problem].filter(Boolean).join(' ');
}

/**
 * Why a store call failed.
 * - `unreachable`: no server of the list answered, or the connection broke; whether a write was done is unknown (retry later)
 * - `timeout`: our own deadline passed; the connection was destroyed (retry later)
 * - `not_causal`: the server answers, but does not know what the rest of its cluster has written, so nothing it says may be
 *   acted on; a write was not done (retry later, elsewhere)
 * - `busy`: locked or overloaded (retry later)
 * - `read_only`: the server answers but accepts no writes (retry later, elsewhere)
 * - `denied`: user, password or privilege (a person has to correct it)
 * - `schema`: table or column missing, or the file is not a database (a person has to correct it)
 * - `config`: the configuration does not say whose rows are ours, or contradicts the tables (a person has to correct it)
 * - `failed`: anything else
 */
export const storeFaults = [
  'unreachable',
  'timeout',
  'not_causal',
  'busy',
  'read_only',
  'denied',
  'schema',
  'config',
  'failed',
] as const;
export type StoreFault = (typeof storeFaults)[number];

/** A store call that failed. The message is one line, names the server and never contains a password. */
export class StoreError extends Error {
  readonly code: `STORE_${Uppercase<StoreFault>}`;
  readonly fault: StoreFault;

  constructor(fault: StoreFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.fault = fault;
    this.code = `STORE_${fault.toUpperCase() as Uppercase<StoreFault>}`;
  }
}

/** The message of anything thrown, in one line. */
export function errorMessage(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.replace(/\s*\n\s*/g, ' ').trim();
}
