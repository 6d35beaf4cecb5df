// Standard output and standard error as a sink of the log.

import { fstatSync } from 'node:fs';
import type { LogLevel } from '../core/logger.ts';
import { counted } from '../core/text/counted.ts';
import type { LogLine } from './line.ts';
import { severities } from './syslog.ts';

/** What is used of process.stdout and process.stderr. */
export interface ConsoleStream {
  readonly fd: number;
  readonly isTTY?: boolean;
  /** The number of bytes that wait for a reader. */
  readonly writableLength: number;
  write(text: string): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

/**
 * Standard output or error as a sink: for the journal with a `<N>` priority before each line, in colour on a terminal, plain
 * elsewhere. If a reader does not read, lines are dropped and counted once 1 MiB waits for it. If it has gone away, lines are
 * discarded. Source: sd-daemon(3), systemd.exec(5) on JOURNAL_STREAM.
 */
export class Console {
  /** True if what is written here goes to the journal. */
  readonly isJournal: boolean;
  #stream: ConsoleStream;
  #colour: boolean;
  #gone = false;
  #lost = 0;

  constructor(stream: ConsoleStream, env: Readonly<Record<string, string | undefined>>) {
    this.#stream = stream;
    this.isJournal = isJournal(stream.fd, env.JOURNAL_STREAM);
    this.#colour = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
    // EPIPE and similar errors; without a listener they would end the daemon.
    stream.on('error', () => {
      this.#gone = true;
    });
  }

  /** False when the other end has gone. */
  get alive(): boolean {
    return !this.#gone;
  }

  /** Writes a line. Never throws, never waits. */
  write(line: LogLine, format: 'text' | 'json'): void {
    if (this.#gone) return;
    if (this.#stream.writableLength > MAX_WAITING) {
      this.#lost++;
      return;
    }
    const lost =
      this.#lost === 0
        ? ''
        : this.#decorate(
            'warning',
            `${counted(this.#lost, 'log line was', 'log lines were')} lost here because nobody read them`,
          );
    this.#lost = 0;
    try {
      this.#stream.write(lost + this.#decorate(line.level, this.#words(line, format)));
    } catch {
      this.#gone = true;
    }
  }

  #words({ level, message, text, json }: LogLine, format: 'text' | 'json'): string {
    if (format === 'json' && this.#stream.isTTY !== true) return json;
    // The journal adds its own time.
    return this.isJournal ? `[${level.toUpperCase()}] - ${message}` : text;
  }

  #decorate(level: LogLevel, words: string): string {
    if (this.isJournal) return `<${severities[level]}>${words}\n`;
    return this.#colour ? `${COLOURS[level]}${words}\u001b[0m\n` : `${words}\n`;
  }
}

const MAX_WAITING = 1024 * 1024;
const COLOURS: Readonly<Record<LogLevel, string>> = {
  debug: '\u001b[2m',
  info: '',
  warning: '\u001b[33m',
  error: '\u001b[31m',
};

/**
 * True if the descriptor is the journal's. JOURNAL_STREAM is inherited by children whose output goes elsewhere, so it only
 * counts if device and inode are the same.
 */
function isJournal(fd: number, journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return journalStream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
