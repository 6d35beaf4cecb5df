// What identifies a program and the processes that belong to it.
import type { ManagedProcess } from '../../../core/alarm.ts';
import type { RootProcess } from '../../../core/program/roots.ts';
import type { SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessOptions } from '../options.ts';
import type { Owners } from './owner.ts';

/** What identifies a program. */
export interface Identity {
  readonly process: ManagedProcess;
  readonly ownPid: number;
  readonly owners: Owners & { readonly kind: 'known' };
  /** Its roots when it was last seen or started. */
  readonly knownRoots: readonly RootProcess[];
  /** The settings `pid_file` and `argument`. */
  readonly pidFile: string | undefined;
  readonly argument: string | undefined;
  /** Whether a process is of another instance, although it has the name (othersTest). */
  readonly isOthers: (seen: SeenProcess) => boolean;
  readonly maxMatches: number;
  /** The units in which we start its copies; [] if nothing is started in units. */
  readonly units: readonly string[];
  /** The one of `units` that a process runs in. */
  readonly unitOf: (pid: number) => string | undefined;
  /** RootProcess.knownBy of what this witness finds with the section as it is now. */
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

/** How a program is known: our own start of it; `pid_file`; `argument`; its exact name. */
export type Witness = 'start' | 'pid_file' | 'argument' | 'name';

/** A running program: its topmost process, and everything that belongs to it. */
export interface ProcessTree {
  readonly root: SeenProcess;
  /**
   * The whole tree without its root, whatever the names, parents before children. Includes the rest of the process group or
   * session that the root leads.
   */
  readonly descendants: readonly SeenProcess[];
  /** The root is only a leftover of a root that has ended: it does not show how the program is started. */
  readonly orphaned: boolean;
  /** The witness that it is known by. */
  readonly by: Witness;
  /** For a tree that we started, such as the shell of start_command: the processes in it that a later witness knows. */
  readonly known?: readonly SeenProcess[];
}

/**
 * The processes of a tree whose end is the program's end: its root, or in a tree that we started those that have the program's
 * name.
 */
export function programsOf({ root, known }: ProcessTree): readonly SeenProcess[] {
  return known ?? [root];
}
