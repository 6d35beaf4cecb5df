/** The section of all processes that have none of their own. */
export const DEFAULT_SECTION = 'process.default';

/**
 * One section of the configuration, read key by key. Asking for a key makes it known: what nobody asks for is reported as
 * unknown. A value that does not fit is reported (with its line) and the default returned, so that every problem is found in
 * one pass. For `[process.NAME]` the reader falls back to `[process.default]` key by key. Implemented in config/.
 */
export interface SectionReader {
  /** The section's name, for messages. */
  readonly section: string;
  /** True where the key stands in the file (here or in the fallback). */
  has(key: string): boolean;
  /** A text; undefined where the key is absent or empty. */
  text(key: string): string | undefined;
  /** A `*_command` or a password: verbatim to the end of the line. Undefined where absent; a password may be empty. */
  verbatim(key: string): string | undefined;
  /** A whole number within `min` and `max`, both included. */
  integer(key: string, options: NumberOptions): number;
  /** A number of seconds in the file (decimals allowed), returned in milliseconds; `default`, `min` and `max` are seconds too. */
  secondsAsMs(key: string, options: NumberOptions): number;
  /** true/false, yes/no, on/off, 1/0 in any case. */
  boolean(key: string, fallback: boolean): boolean;
  /** One of `values`. */
  choice<T extends string>(key: string, values: readonly T[], fallback: T): T;
  /** A comma-separated list, blanks trimmed, empty items dropped; [] where absent. */
  list(key: string): string[];
  /** Reports that `key`'s value cannot be used; `problem` in one line, `(expected X, got "Y")` for choice. */
  problem(key: string, problem: string): void;
  /**
   * Reports that what the section comes to cannot be used, though each of its values can: at the section itself, wherever `key` stands,
   * for others may inherit that value and can use it.
   */
  refuse(key: string, problem: string): void;
  /** Reports something that works but should be mended. */
  warning(key: string, problem: string): void;
}

/** Bounds and default of a number; the default is returned where the key is absent. */
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
   * `host_id`: what this machine's rows bear in the column `host_id`, a number or a text as it stands in the file; `all`: whatever they
   * bear. At most 255 bytes, printable; undefined: not set.
   */
  readonly hostId: string | undefined;
}

/** `[monitor]`: the loop and what holds for every process. */
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
  /** `max_concurrent_restarts`: stop/start/restart commands at once; default 4, at least 1. */
  readonly maxConcurrentRestarts: number;
  /** `only_configured`: act only on processes with a section of their own; default false. */
  readonly onlyConfigured: boolean;
  /** `require_pin`: no program of root's is started from a record without a pin; default false. */
  readonly requirePin: boolean;
  /** `mode`: `observe` decides and logs, and does nothing; default act. */
  readonly mode: 'act' | 'observe';
  /** `clear_alarm`: false for a user with SELECT only; default true. */
  readonly clearAlarm: boolean;
  /** `state_dir`: the daemon's own memory; default $STATE_DIRECTORY, else /var/lib/monitor_service. */
  readonly stateDir: string;
}

/** The keys of `[process.NAME]` that are neither a strategy's nor a health check's own. */
export interface RecoverySettings {
  /** `system_name`; undefined where the database's name is the real one. */
  readonly systemName: string | undefined;
  /** `pre_restart_command`; its failure fails the recovery. */
  readonly preRestartCommand: string | undefined;
  /** `command_timeout`: limit of each pre-restart, restart, start and stop command; default 60 s. */
  readonly commandTimeoutMs: number;
  /** `health_check_timeout`: how long a process has to become healthy; default 5 s. */
  readonly healthCheckTimeoutMs: number;
  /** `stable_time`: how long the new process must have run for a recovery to have succeeded; default 1 s, 0 off. */
  readonly stableTimeMs: number;
  /** `restart_delay`: pause between attempts; default 2 s. */
  readonly restartDelayMs: number;
  /** `max_attempts` of one recovery; default 2, at least 1. */
  readonly maxAttempts: number;
  /** `use_backoff`: the pause grows by `backoff_multiplier` with each attempt; default false. */
  readonly useBackoff: boolean;
  /** `backoff_multiplier`; default 2, at least 1. */
  readonly backoffMultiplier: number;
  /** `max_delay`: ceiling of the growing pause; undefined: none. */
  readonly maxDelayMs: number | undefined;
  /** `priority`: higher first; default 0. */
  readonly priority: number;
  /** `depends_on`: names of processes that, in alarm, are healed first. */
  readonly dependsOn: readonly string[];
}
