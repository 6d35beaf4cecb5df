// The outcomes of health checks and restart previews.
/** The result of examining a process once. `unseen`: the process could not be examined, so that it is not known to be unhealthy. */
export type HealthResult =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'unhealthy'; readonly reason: string; readonly unseen?: true };

/**
 * The result of a configured health check. `not_proved`: the check could not be done, which says nothing about the process.
 * `reason` is one line that is the same each time (`db1.example.test could not be resolved`); `detail` says more.
 */
export type CheckResult = HealthResult | { readonly kind: 'not_proved'; readonly reason: string; readonly detail: string };

/** What a strategy would stop and start, without doing it (`monitor_service match NAME`). */
export interface RestartPreview {
  /** Units or processes that would be stopped, a line each, for people. */
  readonly stops: readonly string[];
  /** What would be started or run, a line each. */
  readonly starts: readonly string[];
  /** Why the restart would be refused; [] if it would be done. */
  readonly refusals: readonly string[];
  /** Those of `refusals` for which it would be tried nevertheless, and fail. Absent: none, or an older daemon. */
  readonly failures?: readonly string[] | undefined;
  /**
   * What works but should be checked, such as processes of that name that do not count as the program; absent from older
   * daemons.
   */
  readonly warnings?: readonly string[] | undefined;
  /**
   * Every configured command that would run, in order; those that start something are also in `starts`. Absent from older
   * daemons.
   */
  readonly commands?: readonly PreviewedCommand[] | undefined;
}

/** A command as it would run. */
export interface PreviewedCommand {
  /** `pre_restart_command`. */
  readonly key: string;
  /** As it is passed to a shell. */
  readonly line: string;
  /** What replaces `%s` in it; null if no `%s` stands for the name. */
  readonly name: string | null;
  /** When it is killed; for a health check: how long it is repeated. In milliseconds; null: what it starts continues to run. */
  readonly limitMs: number | null;
  /** The user who runs it; null: the daemon's user. */
  readonly user: string | null;
}
