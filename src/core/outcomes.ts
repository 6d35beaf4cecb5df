/** One look at a process. `unseen`: nobody could look, so that it is not known to be unhealthy. */
export type HealthResult =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'unhealthy'; readonly reason: string; readonly unseen?: true };

/**
 * What a configured health check says. `not_proved`: it could not look, which says nothing of the process. `reason`, in one line, is the
 * same each time (`db1.example.test could not be resolved`); `detail` says more.
 */
export type CheckResult = HealthResult | { readonly kind: 'not_proved'; readonly reason: string; readonly detail: string };

/** What a strategy would stop and start, without doing it (`monitor_service match NAME`). */
export interface RestartPreview {
  /** Units or processes that would be stopped; each a line for people. */
  readonly stops: readonly string[];
  /** What would be started or run; a line each. */
  readonly starts: readonly string[];
  /** Why it would be refused; [] where it would be done. */
  readonly refusals: readonly string[];
  /** Those of `refusals` for which it would be tried all the same, and fail; absent: none, or an older daemon. */
  readonly failures?: readonly string[] | undefined;
  /** What works but should be looked at, such as processes of that name that are not taken for the program; absent from older daemons. */
  readonly warnings?: readonly string[] | undefined;
  /**
   * Every command of the configuration that would run, in that order; what of it starts something stands in `starts` too. Absent
   * from older daemons.
   */
  readonly commands?: readonly PreviewedCommand[] | undefined;
}

/** A command as it would run. */
export interface PreviewedCommand {
  /** `pre_restart_command`. */
  readonly key: string;
  /** As a shell is given it. */
  readonly line: string;
  /** What stands in it for `%s`; null if no `%s` stood for the name. */
  readonly name: string | null;
  /** When it is killed; of a health check: how long it is tried over and over. null: what it starts runs on. In milliseconds. */
  readonly limitMs: number | null;
  /** Who runs it; null: whoever runs the daemon. */
  readonly user: string | null;
}
