/** A process by its number and its start time, clock ticks since boot (proc_pid_stat(5)). */
export interface RootProcess {
  readonly pid: number;
  readonly startTime: number;
  /** The processes above it that may start it again, the nearest first; absent where none was seen. */
  readonly keepers?: readonly KeeperProcess[];
}

/** A process above a program, by its number and its start time. */
export interface KeeperProcess {
  readonly pid: number;
  readonly startTime: number;
  /** It was seen to have started that program twice. */
  readonly startsAgain?: true;
}

/**
 * The topmost processes of each program when it was last seen; the key is the system name. What a dead one of them left behind in its
 * process group or session is known by it, also after a restart of the daemon. Implemented in state/.
 */
export interface ProgramRoots {
  /** Empty where none is known, and after a boot. */
  get(systemName: string): readonly RootProcess[];
  set(systemName: string, roots: readonly RootProcess[]): void;
}
