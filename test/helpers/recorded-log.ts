import type { LogFields, Logger, LogLevel } from '../../src/core/logger.ts';

/** A logger that keeps its lines, for tests. */
export class RecordedLog implements Logger {
  readonly lines: { level: LogLevel; message: string; fields: LogFields | undefined }[] = [];

  debug(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'debug', message, fields });
  }
  info(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'info', message, fields });
  }
  warning(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'warning', message, fields });
  }
  error(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'error', message, fields });
  }

  /** The messages of one level and above it nothing. */
  of(level: LogLevel): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}
