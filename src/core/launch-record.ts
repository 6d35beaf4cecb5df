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
}

/** Keeps launch records across restarts of the daemon; the key is the system name. Implemented in state/. */
export interface LaunchRecords {
  get(systemName: string): LaunchRecord | undefined;
  set(systemName: string, record: LaunchRecord): void;
  /** Of the copies beside the first (`max_matches`); [] where there were none. */
  further(systemName: string): readonly LaunchRecord[];
  setFurther(systemName: string, records: readonly LaunchRecord[]): void;
}
