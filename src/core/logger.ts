// The interface of the log.
/** Severity of a log line, lowest first. */
export const logLevels = ['debug', 'info', 'warning', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Machine-readable fields of a message: snake_case keys (`process_name`, `process_id`, `strategy`, `attempt`, `duration_ms`,
 * `err`).
 */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where log lines go. It never throws and never blocks on a slow sink; the implementation makes messages printable. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
