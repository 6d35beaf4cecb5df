import { commandEnvironment, expandCommand } from '../core/command-template.ts';
import { quoted } from '../core/printable.ts';
import type { ConfigDocument } from './config-document.ts';
import { describeOnceNames, describeOwnFormats, oncePercentAndName, ownFormats } from './find-own-formats.ts';
import { namesTooLong } from './name-patterns.ts';

/**
 * Warns of commands that do something else than they seem to: a `%s` that is some program's own, wherever the command stands; a name that
 * cannot stand for `%s`; and a name that is too long for what looks for it, each at the section of the process. `keysRun`: which commands
 * of a process may run at all.
 */
export function checkCommands(document: ConfigDocument, keysRun: (processName: string) => readonly string[]): void {
  // Most sections inherit their commands.
  const known = new Map<string, readonly string[]>();
  const formatsOf = (template: string): readonly string[] => {
    const found = known.get(template) ?? ownFormats(template);
    known.set(template, found);
    return found;
  };
  for (const name of [...document.processNames(), undefined]) {
    const section = document.processSection(name);
    const run = name === undefined ? [] : keysRun(name);
    for (const key of COMMAND_KEYS) {
      const template = section.verbatim(key);
      if (template === undefined || template.length > LONGEST) continue;
      const found = formatsOf(template);
      if (found.length > 0) section.warning(key, describeOwnFormats(found));
      const once = oncePercentAndName(template);
      if (once.length > 0) section.warning(key, describeOnceNames(once));
      const problem =
        name !== undefined && run.includes(key) ? nameProblem(template, name, section.text('system_name')) : undefined;
      if (name !== undefined && problem !== undefined) document.warnOfProcess(name, key, problem);
    }
  }
}

/** The keys whose value a shell runs. */
const COMMAND_KEYS = ['pre_restart_command', 'stop_command', 'start_command', 'restart_command', 'health_check_command'];

/** Of a longer text nothing is said: thousands of sections may inherit it. */
const LONGEST = 20_000;

/** What is wrong with the name for that command. */
function nameProblem(template: string, processName: string, configuredName: string | undefined): string | undefined {
  const systemName = configuredName ?? processName;
  const process = { processId: null, processName, systemName, systemNameConfigured: configuredName !== undefined };
  const expanded = expandCommand(template, process);
  if (expanded.kind === 'refused') return `will be refused: ${expanded.reason}`;
  const [long] = namesTooLong(expanded.line, commandEnvironment(process, 1));
  if (long === undefined) return undefined;
  const cure =
    long.program === 'start-stop-daemon' ? 'expected at most 15 bytes' : `expected ${long.program} -f, or at most 15 bytes`;
  return `${long.program} finds nothing by the name ${quoted(long.name)}: the kernel keeps 15 bytes of a process's name (${cure})`;
}
