/** How a program was started when it was last seen alive: what the process strategy starts again (proc_pid_cmdline(5)). */
export interface LaunchRecord {
  readonly argv: readonly string[];
  /** The executable's path (readlink of /proc/PID/exe, without ` (deleted)`). */
  readonly executable: string;
  readonly cwd: string;
  /** `KEY=VALUE`, as in /proc/PID/environ. */
  readonly environment: readonly string[];
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** It was not more confined than what we start. Absent in records of earlier versions, which did not check. */
  readonly unconfined?: true;
  /** What else it inherited from its starter. Absent in records of earlier versions. */
  readonly surroundings?: Surroundings;
}

/**
 * What a program inherits from its starter besides arguments and environment. Absent fields could not be read, or have the
 * usual value. In records of earlier versions limits and nice value are also absent if they were the starter's.
 */
export interface Surroundings {
  /** By name (getrlimit(2)). */
  readonly limits?: Readonly<Partial<Record<Resource, ResourceLimit>>>;
  /** 0 to 0o777. */
  readonly umask?: number;
  /** From -20, the highest priority, to 19. */
  readonly nice?: number;
  /** The numbers of ignored signals, ascending (signal(7)). */
  readonly ignoredSignals?: readonly number[];
  /** The regular files to which its standard output and error went, by absolute path. */
  readonly standardOutput?: string;
  readonly standardError?: string;
  /** MemoryMax= in bytes and TasksMax= of its unit (systemd.resource-control(5)). */
  readonly memoryMax?: number;
  readonly tasksMax?: number | 'unlimited';
}

/** In decimal digits, because they may have 64 bits, or `unlimited`; in the kernel's units: bytes, seconds, or a number. */
export interface ResourceLimit {
  readonly soft: string;
  readonly hard: string;
}

/** The limits that Linux has, with the names of prlimit(1); systemd.exec(5) has the same in capitals after `Limit`. */
export const RESOURCES = [
  'cpu',
  'fsize',
  'data',
  'stack',
  'core',
  'rss',
  'nproc',
  'nofile',
  'memlock',
  'as',
  'locks',
  'sigpending',
  'msgqueue',
  'nice',
  'rtprio',
  'rttime',
] as const;

export type Resource = (typeof RESOURCES)[number];

/** Stores launch records across restarts of the daemon; the key is the system name. Implemented in state/. */
export interface LaunchRecords {
  get(systemName: string): LaunchRecord | undefined;
  set(systemName: string, record: LaunchRecord): void;
  /** The records of the copies besides the first (`max_matches`); [] if there were none. */
  further(systemName: string): readonly LaunchRecord[];
  setFurther(systemName: string, records: readonly LaunchRecord[]): void;
  /** {} if there is none. */
  note(systemName: string): LaunchNote;
  setNote(systemName: string, note: LaunchNote): void;
}

/** What else is known about how a program runs. */
export interface LaunchNote {
  /** Why its last known launch is not used to start it, in one line; absent if it is used, or if the program was never seen. */
  readonly unusable?: string;
  /** How many copies start_command ran at once, which leaves no records; absent: one. */
  readonly copies?: number;
}
