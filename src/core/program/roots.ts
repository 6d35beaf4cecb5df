/** A process by its number and its start time, clock ticks since boot (proc_pid_stat(5)). */
export interface RootProcess {
  readonly pid: number;
  readonly startTime: number;
  /** We started it. */
  readonly ours?: true;
  /** MONITOR_RUN_ID of that start. */
  readonly runId?: string;
  /** Whose it was. */
  readonly uid?: number;
  /** The session that is all its own, though another process that has ended led it; absent if it leads its session, or shares one. */
  readonly session?: number;
  /** Its control group: what it left behind is there too. Absent if it could not be read, and in records of earlier versions. */
  readonly cgroup?: string;
  /** The file that it executed; absent if it could not be read, and in records of earlier versions. */
  readonly executable?: string;
  /**
   * How it was known when it was last found: the witness, and what its section said of who it is. As long as the section says the same,
   * and it executes the same file, it stays the program. Absent for what we started, and in records of earlier versions.
   */
  readonly knownBy?: string;
  /** The system unit whose main process it was: `nginx.service`; absent if it was none. */
  readonly unit?: string;
  /**
   * Where it listened, as `tcp 0.0.0.0:80`, if that unit leaves alone what it leaves behind; absent if it did not, or was not
   * looked at.
   */
  readonly listens?: readonly string[];
  /** It has ended and left nobody in its process group and session: another may get its number. */
  readonly isEmpty?: true;
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

type Numbered = Pick<RootProcess, 'pid' | 'startTime'>;

/** Tells of processes whether they are that very one: a number alone may be another's by now. */
export function sameProcess(one: Numbered): (other: Numbered) => boolean {
  return ({ pid, startTime }) => pid === one.pid && startTime === one.startTime;
}

/**
 * The topmost processes of each program when it was last seen or started; the key is the system name. What a dead one of them left
 * behind in its process group or session is known by it, also after a restart of the daemon. Implemented in state/.
 */
export interface ProgramRoots {
  /** Empty where none is known, and after a boot. */
  get(systemName: string): readonly RootProcess[];
  set(systemName: string, roots: readonly RootProcess[]): void;
  /** The unit that the program was last seen to be the main process of, in whichever boot. */
  lastUnit(systemName: string): string | undefined;
  /** All names that have this very process among theirs, in the order in which they came. */
  namesOf(root: RootProcess): readonly string[];
}
