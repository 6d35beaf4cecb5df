/** How a program was started when it was last seen alive: what the process strategy starts again (proc_pid_cmdline(5)). */
export interface LaunchRecord {
  readonly argv: readonly string[];
  /** The executable's path (readlink of /proc/PID/exe, ` (deleted)` taken off). */
  readonly executable: string;
  readonly cwd: string;
  /** `KEY=VALUE`, as in /proc/PID/environ. */
  readonly environment: readonly string[];
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** It was no more confined than what we start. Absent in records of earlier versions, which did not look. */
  readonly unconfined?: true;
  /** What else it had from who started it. Absent in records of earlier versions. */
  readonly surroundings?: Surroundings;
}

/**
 * What a program has from who started it, beside arguments and environment; what is absent was not to be read, or is the usual. In records
 * of earlier versions limits and nice value are absent too where the starter's were the same.
 */
export interface Surroundings {
  /** By name (getrlimit(2)). */
  readonly limits?: Readonly<Partial<Record<Resource, ResourceLimit>>>;
  /** 0 to 0o777. */
  readonly umask?: number;
  /** From -20, the most favoured, to 19. */
  readonly nice?: number;
  /** Numbers of signals that it ignores, ascending (signal(7)). */
  readonly ignoredSignals?: readonly number[];
  /** The regular files that its standard output and error went to, by absolute path. */
  readonly standardOutput?: string;
  readonly standardError?: string;
  /** MemoryMax= in bytes and TasksMax= of its unit (systemd.resource-control(5)). */
  readonly memoryMax?: number;
  readonly tasksMax?: number | 'unlimited';
}

/** In decimal digits, for they may have 64 bits, or `unlimited`; in the kernel's own units: bytes, seconds, or a number. */
export interface ResourceLimit {
  readonly soft: string;
  readonly hard: string;
}

/** The limits that Linux knows, as prlimit(1) calls them; systemd.exec(5) has the same in capitals behind `Limit`. */
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

/** Keeps launch records across restarts of the daemon; the key is the system name. Implemented in state/. */
export interface LaunchRecords {
  get(systemName: string): LaunchRecord | undefined;
  set(systemName: string, record: LaunchRecord): void;
  /** Of the copies beside the first (`max_matches`); [] where there were none. */
  further(systemName: string): readonly LaunchRecord[];
  setFurther(systemName: string, records: readonly LaunchRecord[]): void;
  /** {} where there is none. */
  note(systemName: string): LaunchNote;
  setNote(systemName: string, note: LaunchNote): void;
}

/** What is known of how a program runs beside its records. */
export interface LaunchNote {
  /** Why how it was last seen running is not used to start it, in one line; absent where it is, and where it was never seen. */
  readonly unusable?: string;
  /** As many ran at once by start_command, which leaves no records; absent: one. */
  readonly copies?: number;
}
