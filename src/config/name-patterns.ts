// Finds programs in commands that search for a process by a name longer than the kernel keeps.
import { commandEnvironment, withName } from '../core/command-template.ts';
import { COMM_BYTES } from '../core/process/comm.ts';
import { executedPrograms, MOST_BESIDES } from '../core/shell/executed-programs.ts';
import { ReadingBudget } from '../core/shell/reading-budget.ts';
import { operandsOf } from './own-formats.ts';

/** A program of a command that searches for a process by its name. */
export interface NameSearch {
  readonly program: string;
  readonly name: string;
}

/**
 * The programs in a command that may search for a process by a name that is too long; the process's own name is not known here.
 * `budget`: see executedPrograms. Source: pgrep(1), pkill(1), start-stop-daemon(8).
 */
export function nameSearches(template: string, budget = new ReadingBudget(MOST_BESIDES)): NameSearch[] {
  if (!looksForNames(template)) return [];
  const names = commandEnvironment({ ...OPEN_NAMES, processId: null, systemNameConfigured: true }, 1);
  const line = withName(template, OPEN_NAMES.systemName);
  const { programs } = executedPrograms(line, (name) => Object.hasOwn(LOOKING, name), names, budget);
  const found = new Map<string, NameSearch>();
  for (const { name: program, arguments: args } of programs) {
    const name = LOOKING[program]?.(args);
    // Each is checked again for each process that inherits the command.
    if (name !== undefined && (isOpen(name) || isTooLong(name))) found.set(`${program} ${name}`, { program, name });
  }
  if (found.size > MOST_SEARCHES) budget.giveUp();
  return [...found.values()].slice(0, MOST_SEARCHES);
}

const MOST_SEARCHES = 50;

/** Whether a command may search for a process by its name. */
export function looksForNames(template: string): boolean {
  return /pgrep|pkill|start-stop-daemon/.test(template);
}

/** Placeholders for names that are not known yet; no command contains them. */
const OPEN_NAMES = { systemName: '\u0001', processName: '\u0002' };

function isOpen(name: string): boolean {
  return Object.values(OPEN_NAMES).some((open) => name.includes(open));
}

/**
 * Those of `searches` that search, for that process, by a name of more than 15 bytes. The kernel keeps only 15
 * (proc_pid_stat(5), comm), so they never find anything.
 */
export function namesTooLong(
  searches: readonly NameSearch[],
  { systemName, processName }: Readonly<typeof OPEN_NAMES>,
): NameSearch[] {
  return searches
    .map(({ program, name }) => ({
      program,
      name: name.replaceAll(OPEN_NAMES.systemName, () => systemName).replaceAll(OPEN_NAMES.processName, () => processName),
    }))
    .filter(({ name }) => isTooLong(name));
}

/**
 * The name, or the pattern for names, in a program's arguments; undefined if it searches by something else, such as the whole
 * command line.
 */
const LOOKING: Readonly<Record<string, (args: readonly string[]) => string | undefined>> = {
  pgrep: (args) => patternOf(args),
  pkill: (args) => patternOf(args.filter((word) => !/^-(?:\d+|[A-Z][A-Z0-9+-]+)$/.test(word))),
  'start-stop-daemon': (args) => args[args.findIndex((word) => word === '-n' || word === '--name') + 1 || args.length],
};

function patternOf(args: readonly string[]): string | undefined {
  if (args.some((word) => word === '--full' || FULL.test(word))) return undefined;
  return operandsOf(args, VALUED)[0];
}

/** No letter before the `f` takes the rest of the word as its value. */
const FULL = /^-[acilnovwxe]*f/;
const VALUED =
  /^(?:-[acilnovwxe]*[dFgGPsrtuUq]|--(?:delimiter|pgroup|group|parent|session|terminal|euid|uid|pidfile|runstates|ns|nslist|cgroup|env|signal|queue))$/;

/** A pattern may match a text longer than itself; only for plain characters is the length known. */
function isTooLong(pattern: string): boolean {
  const text = pattern
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/\\(?=[.+-])/g, '');
  return !/[[\](){}|*+?\\$]/.test(text) && Buffer.byteLength(text) > COMM_BYTES;
}
