// Warnings about the commands of process sections.
import { expandCommand, needsName, withName } from '../core/command-template.ts';
import type { SectionReader } from '../core/config.ts';
import { MOST_BESIDES } from '../core/shell/executed-programs.ts';
import { ReadingBudget } from '../core/shell/reading-budget.ts';
import { syntaxFault } from '../core/shell/syntax-fault.ts';
import { quoted } from '../core/text/printable.ts';
import type { ConfigDocument } from './config-document.ts';
import { describeOnceNames, describeOwnFormats, oncePercentAndName, ownFormats } from './find-own-formats.ts';
import { looksForNames, type NameSearch, nameSearches, namesTooLong } from './name-patterns.ts';
import { onceEvaled } from './once-evaled.ts';

/**
 * Warns about commands that no shell can read, or that do something else than they seem to: a `%s` that belongs to another
 * program's format, a variable that nothing sets, a name that cannot stand for `%s`, and a name that is too long for the
 * program that searches for it. The warning is at the section of the process, wherever the command is. `keysRun`: which
 * commands of a process may run at all.
 */
export function checkCommands(document: ConfigDocument, keysRun: (processName: string) => readonly string[]): void {
  // Most sections inherit their commands.
  const known = new Map<string, ReadCommand>();
  const budget = new ReadingBudget(MOST_OF_ALL);
  for (const name of [...document.names('process'), undefined]) {
    const section = document.member('process', name);
    const run = name === undefined ? [] : keysRun(name);
    for (const key of COMMAND_KEYS) {
      const template = section.command(key);
      if (template === undefined) continue;
      const read = known.get(template) ?? readCommand(template, budget);
      known.set(template, read);
      for (const warning of read.warnings) section.warning(key, warning);
      const problem = name !== undefined && run.includes(key) ? nameProblem(template, read.searches, name, section) : undefined;
      if (name !== undefined && problem !== undefined) document.warnOfProcess(name, key, problem);
    }
  }
}

interface ReadCommand {
  readonly warnings: readonly string[];
  readonly searches: readonly NameSearch[];
}

function readCommand(template: string, whole: ReadingBudget): ReadCommand {
  if (template.length > LONGEST) return { warnings: unreadWarnings(template), searches: [] };
  const budget = new ReadingBudget(MOST_BESIDES, whole);
  const formats = ownFormats(template, budget);
  const searches = nameSearches(template, budget);
  const once = oncePercentAndName(template);
  const fault = syntaxFault(withName(template, 'x'), new ReadingBudget(MOST_BESIDES, whole));
  return {
    warnings: [
      ...(fault === undefined ? [] : [`cannot be read by a shell (${fault})`]),
      ...(formats.length > 0 ? [describeOwnFormats(formats)] : []),
      ...(once.length > 0 ? [describeOnceNames(once, template)] : []),
      ...onceEvaled(template, new ReadingBudget(MOST_BESIDES, whole)),
      ...(budget.isSpent ? unreadWarnings(template) : []),
    ],
    searches,
  };
}

/** The warnings for a command that is too complex to check: what is not known to be right is not reported as right. */
function unreadWarnings(template: string): string[] {
  const doubts = [
    ...(needsName(template) ? ['every %s in it stands for the name'] : []),
    ...(looksForNames(template) ? ['each name that it searches for has at most 15 bytes'] : []),
  ];
  if (doubts.length === 0) return [];
  return [
    `is not checked to its end, because it is too long or runs too much by eval, sh -c and the like: check yourself whether ${doubts.join(', and ')}`,
  ];
}

/** The keys whose value a shell runs. */
const COMMAND_KEYS = ['pre_restart_command', 'stop_command', 'start_command', 'restart_command', 'health_check_command'];

/** A longer text is not checked. */
const LONGEST = 20_000;
/**
 * How many characters of all commands of a file are read in addition to their own text: reading these keeps a reload busy for a
 * tenth of a second.
 */
const MOST_OF_ALL = 500_000;

/** Why the name does not work in that command. */
function nameProblem(
  template: string,
  searches: readonly NameSearch[],
  processName: string,
  section: SectionReader,
): string | undefined {
  const configuredName = section.text('system_name');
  const systemName = configuredName ?? processName;
  const process = { processId: null, processName, systemName, systemNameConfigured: configuredName !== undefined };
  const expanded = expandCommand(template, process);
  if (expanded.kind === 'refused') return `will be refused: ${expanded.reason}`;
  const [long] = namesTooLong(searches, process);
  if (long === undefined) return undefined;
  const cure =
    long.program === 'start-stop-daemon' ? 'expected at most 15 bytes' : `expected ${long.program} -f, or at most 15 bytes`;
  return `${long.program} finds nothing by the name ${quoted(long.name)}: the kernel keeps 15 bytes of a process's name (${cure})`;
}
