// Finds the processes of a program for those that only look at them.
import { constants } from 'node:os';
import type { ManagedProcess } from '../../core/alarm.ts';
import type { SectionReader } from '../../core/config.ts';
import type { ProgramRoots } from '../../core/program/roots.ts';
import type { TakeLook } from '../../system/proc/look.ts';
import type { RunningProcesses } from '../../system/systemd/running-processes.ts';
import type { StrategyParts } from '../strategy.ts';
import { nameProblem } from './identity/name.ts';
import { type ProcessOptions, type ProgramIdentity, parseProgramIdentity } from './options.ts';
import { ProcessStrategy } from './strategy.ts';

/** A program whose processes are looked for, as a section describes it. */
export interface SoughtProgram extends ProgramIdentity {
  readonly process: ManagedProcess;
  /** It is the program of `[process.NAME]`: what the daemon has started under that name belongs to it. */
  readonly isManaged: boolean;
}

/** The keys that `parseSought` asks for. */
export const SOUGHT_KEYS = ['system_name', 'user', 'any_user', 'pid_file', 'argument'] as const;

/**
 * Reads which program a section means, with the keys of `[process.NAME]`; reports problems to the reader. `name`: what the program is
 * called without `system_name`; `isManaged`: the section is `[process.NAME]` itself. Undefined if no program can have that name.
 */
export function parseSought(section: SectionReader, name: string, isManaged: boolean): SoughtProgram | undefined {
  const configured = section.text('system_name');
  const process: ManagedProcess = {
    processId: null,
    processName: name,
    systemName: configured ?? name,
    systemNameConfigured: configured !== undefined,
  };
  const identity = parseProgramIdentity(section);
  const problem = nameProblem(process, true);
  if (problem === undefined) return { ...identity, process, isManaged };
  section.problem('system_name', `cannot be looked for: ${problem}`);
  return undefined;
}

/**
 * Returns a function that finds what runs of the program, as ProcessStrategy.findRunning does for a section with these keys and a
 * `max_matches` that allows every copy. It records nothing: what a program is known by is the business of those who restart it.
 * Never rejects.
 */
export function programSeeker(
  { process, isManaged, ...identity }: SoughtProgram,
  parts: StrategyParts,
): (look: TakeLook, signal: AbortSignal) => Promise<RunningProcesses> {
  const options = { ...ONLY_LOOKING, ...identity };
  const strategy = new ProcessStrategy(
    options,
    { ...parts, roots: isManaged ? withoutWriting(parts.roots) : NO_ROOTS },
    parts.table,
  );
  return (look, signal) => strategy.findRunning(process, signal, look);
}

/** What the section would say about restarts, with its defaults. */
const ONLY_LOOKING: Omit<ProcessOptions, keyof ProgramIdentity> = {
  configured: true,
  startCommand: undefined,
  stopCommand: undefined,
  stopSignal: constants.signals.SIGTERM,
  stopTimeoutMs: 10_000,
  // Who waits for another supervisor logs it; a look does not wait.
  supervisorWaitMs: 0,
  maxMatches: Number.MAX_SAFE_INTEGER,
  commandTimeoutMs: 60_000,
  stableTimeMs: 1000,
};

/** The methods are called on the original, which may be an object of a class. */
function withoutWriting(roots: ProgramRoots): ProgramRoots {
  return {
    get: (systemName) => roots.get(systemName),
    set: () => {},
    lastUnit: (systemName) => roots.lastUnit(systemName),
    namesOf: (root) => roots.namesOf(root),
  };
}

/** Those of a section of the same name may be another program's: it may have another argument. */
const NO_ROOTS: ProgramRoots = { get: () => [], set: () => {}, lastUnit: () => undefined, namesOf: () => [] };
