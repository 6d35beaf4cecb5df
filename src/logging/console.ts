import { fstatSync } from 'node:fs';
import type { LogLevel } from '../core/logger.ts';
import { counted } from '../core/text/counted.ts';
import type { LogLine } from './line.ts';
import { severities } from './syslog.ts';

/** What of process.stdout and process.stderr is used. */
export interface ConsoleStream {
  readonly fd: number;
  readonly isTTY?: boolean;
  /** Bytes that wait for a reader. */
  readonly writableLength: number;
  write(text: string): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

/**
 * Standard output or error as a sink: for the journal with a `<N>` priority before each line, in colour on a terminal, plain
 * elsewhere. A reader that does not read costs lines, counted, once 1 MiB waits for it; one that went away costs nothing.
 * Source: sd-daemon(3), systemd.exec(5) on JOURNAL_STREAM.
 */
export class Console {
  /** True where what is written here ends in the journal. */
  readonly isJournal: boolean;
  #stream: ConsoleStream;
  #colour: boolean;
  #gone = false;
  #lost = 0;

  constructor(stream: ConsoleStream, env: Readonly<Record<string, string | undefined>>) {
    this.#stream = stream;
    this.isJournal = isJournal(stream.fd, env.JOURNAL_STREAM);
    this.#colour = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
    // EPIPE and its like; unheard it would end the daemon.
    stream.on('error', () => {
      this.#gone = true;
    });
  }

  /** False once the other end has gone. */
  get alive(): boolean {
    return !this.#gone;
  }

  /** Never throws, never waits. */
  write(line: LogLine, format: 'text' | 'json'): void {
    if (this.#gone) return;
    if (this.#stream.writableLength > MAX_WAITING) {
      this.#lost++;
      return;
    }
    const lost =
      this.#lost === 0
        ? ''
        : this.#decorate('warning', `${counted(this.#lost, 'log line was', 'log lines were')} lost here: nobody read them`);
    this.#lost = 0;
    try {
      this.#stream.write(lost + this.#decorate(line.level, this.#words(line, format)));
    } catch {
      this.#gone = true;
    }
  }

  #words({ level, message, text, json }: LogLine, format: 'text' | 'json'): string {
    if (format === 'json' && this.#stream.isTTY !== true) return json;
    // The journal has a clock of its own.
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

/** JOURNAL_STREAM is inherited by children whose output goes elsewhere: it counts only where device and inode are the same. */
function isJournal(fd: number, journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return journalStream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
