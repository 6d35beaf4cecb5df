// The configuration as other folders see it: the reader of a section, and the parsed settings.
/** The section of all processes without a section of their own. */
export const DEFAULT_SECTION = 'process.default';

/**
 * One section of the configuration, read key by key. Asking for a key makes it known: keys that nobody asks for are reported as
 * unknown. An invalid value is reported (with its line) and the default returned, so that all problems are found in one pass.
 * For `[process.NAME]` the reader falls back to `[process.default]` key by key. Implemented in config/.
 */
export interface SectionReader {
  /** The section's name, for messages. */
  readonly section: string;
  /** True if the key is in the file (in this section or in the fallback). */
  has(key: string): boolean;
  /** A text; undefined if the key is absent or empty. */
  text(key: string): string | undefined;
  /** A command line for a shell: verbatim to the end of the line. Undefined if the key is absent or empty. */
  command(key: string): string | undefined;
  /**
   * A password or another secret: verbatim, without surrounding blanks and one pair of double quotes. No message shows it.
   * Undefined if the key is absent; it may be empty.
   */
  secret(key: string): string | undefined;
  /** The keys that are in the file, in its order: those of this section, then those of the fallback. Makes none of them known. */
  keys(): string[];
  /** A whole number within `min` and `max`, both included. */
  integer(key: string, options: NumberOptions): number;
  /** A number of seconds (decimals allowed), returned in milliseconds; `default`, `min` and `max` are seconds too. */
  secondsAsMs(key: string, options: NumberOptions): number;
  /** true/false, yes/no, on/off, 1/0 in any case. */
  boolean(key: string, fallback: boolean): boolean;
  /** One of `values`. */
  choice<T extends string>(key: string, values: readonly T[], fallback: T): T;
  /** A comma-separated list with blanks trimmed and empty items dropped; [] if absent. */
  list(key: string): string[];
  /** Reports that the value of `key` is invalid; `problem` is one line, best `invalid value "Y", expected X`. */
  problem(key: string, problem: string): void;
  /**
   * Reports that the section as a whole is invalid although each of its values is valid. The report is at the section itself,
   * wherever `key` is, because other sections may inherit that value and use it.
   */
  refuse(key: string, problem: string): void;
  /** Reports something that works but should be corrected. */
  warning(key: string, problem: string): void;
}

/** Bounds and default of a number; the default is returned if the key is absent. */
export interface NumberOptions {
  readonly default: number;
  readonly min?: number;
  readonly max?: number;
}

/** `[host]`: which of several machines this is. */
export interface HostSettings {
  /** `name`, for people; default the hostname. At most 255 bytes, printable. */
  readonly name: string;
  /**
   * `host_id`: the value of the column `host_id` in this machine's rows, a number or a text as in the file; `all`: every value.
   * At most 255 bytes, printable; undefined: not set.
   */
  readonly hostId: string | undefined;
}

/** `[monitor]`: the poll loop, and what applies to every process. */
export interface MonitorSettings {
  /** `check_interval`: pause between two polls; default 300 s. */
  readonly checkIntervalMs: number;
  /** `max_restart_failures`: failed recoveries in a row that open a breaker; default 3, at least 1. */
  readonly maxRestartFailures: number;
  /** `circuit_reset_time`: how long an open breaker stays open; default 1800 s. */
  readonly circuitResetTimeMs: number;
  /** `flap_recoveries`: successful recoveries within the window that open a breaker; default 10, 0 never. */
  readonly flapRecoveries: number;
  /** `flap_window`; default 3600 s. */
  readonly flapWindowMs: number;
  /** `max_exits`: unexpected exits of a watched process within the window that open a breaker; default 5, 0 never. */
  readonly maxExits: number;
  /** `exit_window`; default 300 s. */
  readonly exitWindowMs: number;
  /** `max_concurrent_restarts`: simultaneous stop, start and restart commands; default 4, at least 1. */
  readonly maxConcurrentRestarts: number;
  /** `only_configured`: act only on processes with a section of their own; default false. */
  readonly onlyConfigured: boolean;
  /** `require_pin`: no program of root is started from a launch record without a pin; default false. */
  readonly requirePin: boolean;
  /** `mode`: `observe` decides and logs, but does nothing; default act. */
  readonly mode: 'act' | 'observe';
  /** `clear_alarm`: false for a user with SELECT only; default true. */
  readonly clearAlarm: boolean;
  /** `state_dir`: the daemon's persistent state; default $STATE_DIRECTORY, else /var/lib/monitor_service. */
  readonly stateDir: string;
}

/** The keys of `[process.NAME]` that belong to no strategy and no health check. */
export interface RecoverySettings {
  /** `system_name`; undefined if the name in the database is the real one. */
  readonly systemName: string | undefined;
  /** `pre_restart_command`; its failure fails the recovery. */
  readonly preRestartCommand: string | undefined;
  /** `command_timeout`: limit of each pre-restart, restart, start and stop command; default 60 s. */
  readonly commandTimeoutMs: number;
  /** `health_check_timeout`: how long a process has to become healthy; default 5 s. */
  readonly healthCheckTimeoutMs: number;
  /**
   * `stable_time`: how long the new process must have been running before a recovery counts as successful; default 1 s, 0: off.
   */
  readonly stableTimeMs: number;
  /** `restart_delay`: pause between attempts; default 2 s. */
  readonly restartDelayMs: number;
  /** `max_attempts` of one recovery; default 2, at least 1. */
  readonly maxAttempts: number;
  /** `use_backoff`: the pause grows by `backoff_multiplier` with each attempt; default false. */
  readonly useBackoff: boolean;
  /** `backoff_multiplier`; default 2, at least 1. */
  readonly backoffMultiplier: number;
  /** `max_delay`: limit of the growing pause; undefined: none. */
  readonly maxDelayMs: number | undefined;
  /** `priority`: higher first; default 0. */
  readonly priority: number;
  /** `depends_on`: names of processes that are healed first if they are in alarm. */
  readonly dependsOn: readonly string[];
}
