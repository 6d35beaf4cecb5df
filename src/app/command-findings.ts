// Finds programs that the commands of a process need and that are missing or can be changed by others.
import { expandCommand } from '../core/command-template.ts';
import type { ConfigProblem } from '../core/errors.ts';
import { changeablePrograms } from '../strategies/command/changeable-program.ts';
import { missingPrograms } from '../strategies/command/missing-program.ts';
import { namedPrograms } from '../strategies/command/named-programs.ts';
import { managedProcess, type RecoveryPlan } from '../strategies/recovery-plan.ts';
import type { Entries } from '../system/files/walk-path.ts';
import type { ServiceManager } from '../system/systemd/service-manager.ts';
import type { Settings } from './settings.ts';
import { isUnit } from './user-finding.ts';

/** What is needed to find out what the commands of a process run. */
interface CommandParts {
  readonly settings: Pick<Settings, 'document'>;
  readonly services: Pick<ServiceManager, 'available' | 'show'>;
  /** The files that were examined; one map for all processes. */
  readonly entries: Entries;
}

/**
 * Warns of programs that the commands of a process certainly run and that are missing, or run as root and can be changed by
 * others.
 */
export async function commandFindings(
  parts: CommandParts,
  name: string,
  plan: RecoveryPlan,
  signal: AbortSignal,
): Promise<ConfigProblem[]> {
  const { settings, entries } = parts;
  const found: ConfigProblem[] = [];
  for (const [key, line] of commands(parts, name, plan)) {
    const named = namedPrograms(line);
    const changeable = mayBeRoots(parts, name, key) ? changeablePrograms(named, entries) : [];
    const isReported = changeable.length > 0 && (await isUsed(parts, name, plan, key, signal));
    for (const problem of [...missingPrograms(named), ...(isReported ? changeable : [])])
      found.push(settings.document.standingWarning(name, key, problem));
  }
  return found;
}

/** The command lines that a restart runs, by their keys, with `%s` replaced for this process. */
function commands({ settings }: CommandParts, name: string, plan: RecoveryPlan): [key: string, line: string][] {
  const section = settings.document.member('process', name);
  const process = managedProcess(name, plan);
  return usedCommands(section.command('restart_command') !== undefined, plan).flatMap((key): [string, string][] => {
    const line = section.command(key);
    const expanded = line === undefined ? undefined : expandCommand(line, process);
    // If the name cannot be used in it, the problems of the file say so already.
    return expanded?.kind === 'ready' ? [[key, expanded.line]] : [];
  });
}

function usedCommands(hasRestartCommand: boolean, { strategy }: RecoveryPlan): readonly string[] {
  const always = ['pre_restart_command', 'health_check_command'];
  if (hasRestartCommand) return ['restart_command', ...always];
  return strategy.name === 'process' || strategy.name === 'auto' ? [...PROGRAM_KEYS, ...always] : always;
}

const PROGRAM_KEYS: readonly string[] = ['start_command', 'stop_command'];

/** False also if we are not root: then it is not known who runs them, since root may have systemd run the daemon. */
function mayBeRoots({ settings }: CommandParts, name: string, key: string): boolean {
  const user = key === 'start_command' ? settings.document.member('process', name).text('user') : undefined;
  return process.geteuid?.() === 0 && (user === undefined || user === 'root' || user === '0');
}

/** Whether the command is used: systemd starts and stops a unit without it. */
async function isUsed(
  { services }: CommandParts,
  name: string,
  plan: RecoveryPlan,
  key: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (plan.strategy.name !== 'auto' || !PROGRAM_KEYS.includes(key)) return true;
  return (await isUnit(services, managedProcess(name, plan).systemName, signal)) === false;
}
