// The topmost processes of programs, by which later processes are recognised.
/** A process identified by its pid and its start time, in clock ticks since boot (proc_pid_stat(5)). */
export interface RootProcess {
  readonly pid: number;
  readonly startTime: number;
  /** We started it. */
  readonly ours?: true;
  /** MONITOR_RUN_ID of that start. */
  readonly runId?: string;
  /** The user that it ran as. */
  readonly uid?: number;
  /**
   * The session that belongs only to it, although another process that has ended led the session; absent if it leads its
   * session, or shares one.
   */
  readonly session?: number;
  /**
   * Its control group, in which processes that it leaves behind are too. Absent if it could not be read, and in records of
   * earlier versions.
   */
  readonly cgroup?: string;
  /** The file that it executes; absent if it could not be read, and in records of earlier versions. */
  readonly executable?: string;
  /**
   * How it was identified when it was last found: the witness, and what its section said about its identity. As long as the
   * section says the same and the process executes the same file, it counts as the program. Absent for processes that we
   * started, and in records of earlier versions.
   */
  readonly knownBy?: string;
  /** The systemd unit whose main process it was: `nginx.service`; absent if there was none. */
  readonly unit?: string;
  /**
   * Where it listened, such as `tcp 0.0.0.0:80`, if that unit does not end the processes that it leaves behind; absent if it
   * did not listen, or was not checked.
   */
  readonly listens?: readonly string[];
  /** It has ended and left no process in its process group and session: another process may get its pid. */
  readonly isEmpty?: true;
  /** The processes above it that may start it again, the nearest first; absent if none was seen. */
  readonly keepers?: readonly KeeperProcess[];
}

/** A process above a program, identified by its pid and its start time. */
export interface KeeperProcess {
  readonly pid: number;
  readonly startTime: number;
  /** It was seen starting that program twice. */
  readonly startsAgain?: true;
}

type Numbered = Pick<RootProcess, 'pid' | 'startTime'>;

/** Returns a test whether a process is exactly this one: a pid alone may belong to another process by now. */
export function sameProcess(one: Numbered): (other: Numbered) => boolean {
  return ({ pid, startTime }) => pid === one.pid && startTime === one.startTime;
}

/**
 * The topmost processes of each program when it was last seen or started; the key is the system name. They identify what a dead
 * process left behind in its process group or session, also after a restart of the daemon. Implemented in state/.
 */
export interface ProgramRoots {
  /** [] if none is known, and after a boot. */
  get(systemName: string): readonly RootProcess[];
  set(systemName: string, roots: readonly RootProcess[]): void;
  /** The unit whose main process the program was when last seen, in any boot. */
  lastUnit(systemName: string): string | undefined;
  /** All names that have exactly this process among their roots, in the order in which they were added. */
  namesOf(root: RootProcess): readonly string[];
}
