import { cutName, lastPart } from '../../core/process/comm.ts';
import type { ProcessInfo } from './table.ts';

/** The fields that tell what a process may be called by. */
export const NAME_FIELDS = ['name', 'argv', 'executable', 'kernelThread'] as const;

/**
 * The last parts of all that a process may be called by, cut as the kernel cuts names: more than it is, never fewer. Who is not
 * among them need not be looked at closely. Of a login shell's `-bash` also without the dash.
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

/** Which words of a command line may be the script that an interpreter runs: of the first few behind argv[0], those that are no options. */
function scriptWords(argv: readonly string[]): string[] {
  return argv.slice(1, 1 + MOST_SCRIPT_WORDS).filter((word) => word !== '' && !word.startsWith('-'));
}

/** Among so many words behind argv[0] a script is looked for: an interpreter's own options, and those that env(1) gives it with -S. */
export const MOST_SCRIPT_WORDS = 8;

/** A program's or unit's name or path as `calledNames` has it. */
export function calledName(path: string): string {
  return cutName(lastPart(path));
}
