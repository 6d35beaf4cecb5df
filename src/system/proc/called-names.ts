// The names by which a process may be called.
import { cutName, lastPart } from '../../core/process/comm.ts';
import type { ProcessInfo } from './table.ts';

/** The fields that calledNames needs. */
export const NAME_FIELDS = ['name', 'argv', 'executable', 'kernelThread'] as const;

/**
 * The last parts of all paths and words by which a process may be called, truncated as the kernel truncates names. They may be
 * more than its real names, never fewer: a process without the wanted name among them need not be examined. For a login shell's
 * `-bash` also the name without the dash.
 */
export function calledNames({ name, argv = [], executable = '' }: ProcessInfo<(typeof NAME_FIELDS)[number]>): string[] {
  const [first = ''] = argv;
  const names = [calledName(name), calledName(executable), calledName(first), calledName(first.split(': ', 1)[0] ?? '')];
  if (name.startsWith('-')) names.push(calledName(name.slice(1)));
  const called = lastPart(first);
  if (called.startsWith('-')) names.push(cutName(called.slice(1)));
  for (const word of scriptWords(argv)) names.push(calledName(word));
  return names;
}

/**
 * The words of a command line that may be the script of an interpreter: among the first few after argv[0], those that are not
 * options.
 */
function scriptWords(argv: readonly string[]): string[] {
  return argv.slice(1, 1 + MOST_SCRIPT_WORDS).filter((word) => word !== '' && !word.startsWith('-'));
}

/**
 * The number of words after argv[0] among which a script is searched: enough for an interpreter's own options and those that
 * env(1) passes with -S.
 */
export const MOST_SCRIPT_WORDS = 8;

/** The name or path of a program or unit in the form of `calledNames`. */
export function calledName(path: string): string {
  return cutName(lastPart(path));
}
