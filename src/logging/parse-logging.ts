// Reads `[logging]`.

import { isAbsolute, normalize } from 'node:path';
import type { SectionReader } from '../core/config.ts';
import type { LogLevel } from '../core/logger.ts';
import { quoted } from '../core/text/printable.ts';

/** `[logging]`. Source: the bash service. */
export interface LoggingOptions {
  /** `file`: always the live log; default /var/log/monitor_service.log; undefined if it is empty: no log file. */
  readonly file: string | undefined;
  /** `max_log_size`: a file that has grown to this many bytes is rotated; in KB, default 5120. */
  readonly maxBytes: number;
  /** `log_files_to_keep`: how many rotated files are kept in addition to the live one; default 5. */
  readonly filesToKeep: number;
  /** `level`: the lowest level that is logged; default info. */
  readonly level: LogLevel;
  /** `format`: of file, standard output and journal; default text. */
  readonly format: 'text' | 'json';
  /** `syslog`: what goes there; default error. */
  readonly syslog: 'error' | 'all' | 'off';
  /** `mode`: permissions of the log files; octal, default 0640. */
  readonly mode: number;
  /** `group`: name or number of the group that owns them; undefined: the daemon's own. */
  readonly group: string | undefined;
}

/** Reads `[logging]`; problems go to the reader. */
export function parseLogging(section: SectionReader): LoggingOptions {
  return {
    file: parseFile(section),
    maxBytes: section.integer('max_log_size', { default: 5120, min: 1, max: 10_485_760 }) * 1024,
    filesToKeep: section.integer('log_files_to_keep', { default: 5, min: 0, max: 1000 }),
    level: LEVELS[section.choice('level', LEVEL_NAMES, 'info')],
    format: section.choice('format', ['text', 'json'], 'text'),
    syslog: section.choice('syslog', ['error', 'all', 'off'], 'error'),
    mode: parseMode(section),
    group: section.text('group'),
  };
}

const DEFAULT_FILE = '/var/log/monitor_service.log';
const DEFAULT_MODE = 0o640;

const LEVELS = { debug: 'debug', info: 'info', warning: 'warning', warn: 'warning', error: 'error', err: 'error' } as const;
const LEVEL_NAMES = Object.keys(LEVELS) as (keyof typeof LEVELS)[];

function parseFile(section: SectionReader): string | undefined {
  if (!section.has('file')) return DEFAULT_FILE;
  const file = section.text('file');
  if (file === undefined) return undefined;
  if (!isAbsolute(file) || file.endsWith('/')) {
    section.problem('file', `invalid value ${quoted(file)}, expected a file's absolute path`);
  } else if (UNUSABLE.test(file)) {
    section.problem(
      'file',
      `invalid value ${quoted(file)}, expected a path without control characters or any of : * ? " < > | \\`,
    );
  }
  return normalize(file);
}

/** What pino-roll refuses, or takes for a separator. */
const UNUSABLE = /[<>"|?*:\\\u0000-\u001f\u007f]/;

function parseMode(section: SectionReader): number {
  const text = section.text('mode');
  if (text === undefined) return DEFAULT_MODE;
  if (/^0?[0-7]{3}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if ((mode & 0o600) === 0o600 && (mode & 0o113) === 0) return mode;
  }
  section.problem('mode', `invalid value ${quoted(text)}, expected 0600, 0640, 0644, 0660 or 0664`);
  return DEFAULT_MODE;
}
