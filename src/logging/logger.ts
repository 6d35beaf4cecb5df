// The daemon's log.

import { hostname } from 'node:os';
import { pino } from 'pino';
import { type Clock, systemClock } from '../core/clock.ts';
import { type LogFields, type Logger, type LogLevel, logLevels } from '../core/logger.ts';
import { groupId } from '../system/accounts/database.ts';
import type { DatagramSender } from '../system/native/datagram.ts';
import { Console, type ConsoleStream } from './console.ts';
import { LogFile } from './file.ts';
import { cleanFields, cleanMessage, type LogLine, type LogOrigin, plainLine, textLine, withError } from './line.ts';
import type { LoggingOptions } from './parse-logging.ts';
import { Syslog } from './syslog.ts';

/** What a logger may use of its process; by default its own streams, environment, clock and hostname. */
interface LoggerParts {
  /** Everything goes to the terminal, at debug; the other sinks keep the configured level. */
  readonly verbose?: boolean;
  /** `[host] name`, in lines of JSON. */
  readonly host?: string;
  /** Opens a datagram socket to the given path; without it nothing goes to syslog. */
  readonly openDatagram?: (path: string) => DatagramSender;
  /** Where lines go in addition to file and syslog. */
  readonly stdout?: ConsoleStream;
  /** Where reports about the log file go. */
  readonly stderr?: ConsoleStream;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

/**
 * Creates the daemon's log: the file, standard output (which is the journal under systemd) and syslog. The file is opened in
 * the background, and lines that are logged meanwhile wait for it. Every line is printable and of limited length. Nothing here
 * throws or waits for a reader. A line for the file has been passed to the kernel when the call returns, so a crash loses none.
 */
export function createLogger(options: LoggingOptions, parts: LoggerParts = {}): DaemonLogger {
  return new DaemonLogger(options, {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    clock: systemClock,
    host: hostname(),
    ...parts,
  });
}

/** A logger with its sinks. */
class DaemonLogger implements Logger {
  #options: LoggingOptions;
  #origin: LogOrigin;
  #verbose: boolean;
  #clock: Clock;
  #stdout: Console;
  #stderr: Console;
  #syslog: Syslog | undefined;
  #file: LogFile | undefined;
  /** The change from one configuration's file to the next one's. */
  #changing: Promise<void> = Promise.resolve();
  #pino: pino.Logger<LogLevel, true>;

  constructor(
    options: LoggingOptions,
    parts: LoggerParts & Required<Pick<LoggerParts, 'stdout' | 'stderr' | 'env' | 'clock' | 'host'>>,
  ) {
    const { openDatagram, stdout, stderr, env, clock } = parts;
    this.#options = options;
    this.#origin = { host: parts.host, pid: process.pid };
    this.#verbose = parts.verbose === true;
    this.#clock = clock;
    this.#stdout = new Console(stdout, env);
    this.#stderr = new Console(stderr, env);
    if (openDatagram) this.#syslog = new Syslog({ open: () => openDatagram('/dev/log'), clock, pid: process.pid });
    this.#pino = createPino(clock, (level, message, fields, json) => this.#write(level, message, fields, json));
    this.#openFile();
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warning(message: string, fields?: LogFields): void {
    this.#log('warning', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  /**
   * Uses other options and another `[host] name` from the next line on. The file is opened again if its own options have
   * changed.
   */
  reconfigure(options: LoggingOptions, host: string): void {
    const before = this.#options;
    this.#origin = { ...this.#origin, host };
    this.#options = options;
    if (FILE_KEYS.every((key) => before[key] === options[key])) return;
    this.#openFile();
  }

  /**
   * Resolves when the sinks have everything that can be written to them; later lines go to standard output only. Never rejects.
   */
  async close(): Promise<void> {
    await this.#changing;
    await this.#file?.close();
    this.#syslog?.close();
  }

  #openFile(): void {
    const before = this.#file;
    const next = this.#createFile();
    this.#file = next;
    // One after the other: two at once on one path would rotate each other's file away.
    this.#changing = this.#changing.then(async () => {
      await before?.close();
      await next?.open();
    });
  }

  #createFile(): LogFile | undefined {
    const { file, maxBytes, filesToKeep, mode, group } = this.#options;
    if (file === undefined) return undefined;
    const gid = group === undefined ? undefined : groupId(group);
    if (group !== undefined && gid === undefined) this.#report('warning', `Log file ${file}: there is no group "${group}"`);
    return new LogFile({
      file,
      maxBytes,
      filesToKeep,
      mode,
      gid,
      clock: this.#clock,
      format: (level, message) => this.#words(plainLine(this.#clock.date(), level, message, this.#origin)),
      report: (level, message) => this.#report(level, message),
    });
  }

  #log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (!this.#reaches(level, this.#verbose ? 'debug' : this.#options.level)) return;
    try {
      this.#pino[level]({ ...this.#origin, ...cleanFields(fields) }, cleanMessage(message));
    } catch {
      // A field with a getter that throws, and the like: the message is worth more than the fields.
      this.#pino[level]({ ...this.#origin }, cleanMessage(message));
    }
  }

  #write(level: LogLevel, message: string, fields: Record<string, unknown>, json: string): void {
    const words = withError(message, fields.err);
    const line: LogLine = { level, message: words, text: textLine(this.#clock.date(), level, words), json };
    this.#stdout.write(line, this.#options.format);
    if (!this.#reaches(level, this.#options.level)) return;
    this.#file?.write(this.#words(line));
    // Avoids a second copy of each line: while standard output is the journal, syslog's lines would end there too.
    if (this.#stdout.isJournal && this.#stdout.alive) return;
    const { syslog } = this.#options;
    if (syslog === 'all' || (syslog === 'error' && level === 'error')) this.#syslog?.write(level, words);
  }

  /** Reports a problem of the log itself to standard error. */
  #report(level: LogLevel, message: string): void {
    this.#stderr.write(plainLine(this.#clock.date(), level, cleanMessage(message), this.#origin), this.#options.format);
  }

  #words(line: LogLine): string {
    return this.#options.format === 'json' ? line.json : line.text;
  }

  #reaches(level: LogLevel, lowest: LogLevel): boolean {
    return logLevels.indexOf(level) >= logLevels.indexOf(lowest);
  }
}

const FILE_KEYS = ['file', 'maxBytes', 'filesToKeep', 'mode', 'group'] as const;

/** pino in this thread: a worker would lose the last lines of a crash. Levels are checked before. */
function createPino(
  clock: Clock,
  write: (level: LogLevel, message: string, fields: Record<string, unknown>, json: string) => void,
): pino.Logger<LogLevel, true> {
  const destination = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    lastMsg: '',
    lastObj: {} as Record<string, unknown>,
    write(json: string): void {
      write(logLevels[this.lastLevel - 1] ?? 'error', this.lastMsg, this.lastObj, json.trimEnd());
    },
  };
  return pino(
    {
      customLevels: { debug: 1, info: 2, warning: 3, error: 4 },
      useOnlyCustomLevels: true,
      level: 'debug',
      base: null,
      timestamp: () => `,"time":"${clock.date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // Errors were made printable and cut before.
      serializers: { err: (error: unknown) => error },
    },
    destination,
  );
}
