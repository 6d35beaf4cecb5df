import type { ManagedProcess } from '../../../core/alarm.ts';
import type { RootProcess } from '../../../core/program/roots.ts';
import type { SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessOptions } from '../options.ts';
import type { Owners } from './owner.ts';

/** What a program is known by. */
export interface Identity {
  readonly process: ManagedProcess;
  readonly ownPid: number;
  readonly owners: Owners & { readonly kind: 'known' };
  /** Its roots when it was last seen or started. */
  readonly knownRoots: readonly RootProcess[];
  /** `pid_file` and `argument`. */
  readonly pidFile: string | undefined;
  readonly argument: string | undefined;
  readonly maxMatches: number;
  /** The units that its copies get when we start them; [] where nothing is started in units. */
  readonly units: readonly string[];
  /** The one of `units` that a process is in. */
  readonly unitOf: (pid: number) => string | undefined;
  /** RootProcess.knownBy of what this witness finds, as the section is now. */
  readonly knownBy: (witness: Witness) => string;
  readonly nowMs: number;
}

/** RootProcess.knownBy of what a witness finds; '' for what we started, which is known without it. */
export function knownBy(
  witness: Witness,
  { systemNameConfigured }: ManagedProcess,
  { pidFile, argument, user, anyUser }: Pick<ProcessOptions, 'pidFile' | 'argument' | 'user' | 'anyUser'>,
): string {
  const isByArgumentAlone = argument !== undefined && systemNameConfigured;
  return witness === 'start' ? '' : JSON.stringify({ witness, pidFile, argument, isByArgumentAlone, user, anyUser });
}

/** Our own start of it; `pid_file`; `argument`; its exact name. */
export type Witness = 'start' | 'pid_file' | 'argument' | 'name';

/** A program that runs: its topmost process, and all that belongs to it. */
export interface ProcessTree {
  readonly root: SeenProcess;
  /**
   * Whole, of whatever name, parents before children; without the root. With the rest of the process group or session that the root
   * leads.
   */
  readonly descendants: readonly SeenProcess[];
  /** The root is only a leftover of a root that is gone: it does not tell how the program is started. */
  readonly orphaned: boolean;
  /** By which witness it is known. */
  readonly by: Witness;
  /** Of what we started, such as the shell of start_command: those in it that a later witness knows. */
  readonly known?: readonly SeenProcess[];
}

/** The processes of a tree whose end is the program's: its root; of what we started, those in it that bear the program's name. */
export function programsOf({ root, known }: ProcessTree): readonly SeenProcess[] {
  return known ?? [root];
}
