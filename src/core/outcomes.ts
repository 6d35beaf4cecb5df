/** One look at a process. */
export type HealthResult = { readonly kind: 'healthy' } | { readonly kind: 'unhealthy'; readonly reason: string };

/** What a strategy would stop and start, without doing it (`monitor_service match NAME`). */
export interface RestartPreview {
  /** Units or processes that would be stopped; each a line for people. */
  readonly stops: readonly string[];
  /** What would be started or run; a line each. */
  readonly starts: readonly string[];
  /** Why it would be refused; [] where it would be done. */
  readonly refusals: readonly string[];
  /** Why it may not be the whole truth; a line each. Absent where nothing stands against it. */
  readonly notes?: readonly string[] | undefined;
}
