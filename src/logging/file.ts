// The log file as the daemon sees it.

import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { LogLevel } from '../core/logger.ts';
import { counted } from '../core/text/counted.ts';
import { openRotatingFile, type RotatingFile, type RotatingFileOptions } from './rotating-file.ts';

/** What a log file needs. */
interface LogFileOptions extends Omit<RotatingFileOptions, 'warn'> {
  readonly clock: Clock;
  /** Formats a line about the file itself: what was lost. */
  readonly format: (level: LogLevel, message: string) => string;
  /** Receives reports about the file itself. */
  readonly report: (level: LogLevel, message: string) => void;
}

/**
 * The log file as the daemon sees it: always there. If the file cannot be written, this is reported once, and writing is tried
 * again every 2 s; meanwhile the last 256 KiB of lines are kept. A file that was moved or deleted is opened again within a
 * second.
 */
export class LogFile {
  #options: LogFileOptions;
  #file: RotatingFile | undefined;
  #opening: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #isReported = false;
  #waiting: string[] = [];
  #waitingSize = 0;
  #lost = 0;
  #lookedAtMs = 0;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Opens the file, or opens it again. Never rejects. */
  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Writes a line. Never throws. */
  write(line: string): void {
    if (this.#closed) return;
    this.#checkName();
    if (this.#file === undefined) {
      this.#keep(line);
      return;
    }
    try {
      this.#file.write(line);
    } catch (error) {
      this.#failed(error);
      this.#keep(line);
    }
  }

  /** Resolves when everything that can be written is written. Never rejects. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#opening;
    if (this.#waiting.length > 0) await this.open();
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#file?.close();
    this.#file = undefined;
  }

  async #open(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#closed) return;
    const previous = this.#file;
    this.#file = undefined;
    try {
      await previous?.close();
      const file = await openRotatingFile({ ...this.#options, warn: (problem) => this.#warn(problem) });
      this.#file = file;
      this.#writeWaiting(file);
      if (this.#isReported) this.#options.report('info', `Log file ${this.#options.file} can be written again`);
      this.#isReported = false;
    } catch (error) {
      this.#failed(error);
    }
  }

  #writeWaiting(file: RotatingFile): void {
    while (this.#waiting.length > 0) {
      const line = this.#waiting[0] ?? '';
      file.write(line);
      this.#waiting.shift();
      this.#waitingSize -= line.length;
    }
    if (this.#lost === 0) return;
    file.write(
      this.#options.format(
        'warning',
        `${counted(this.#lost, 'line of this log was', 'lines of this log were')} lost while it could not be written`,
      ),
    );
    this.#lost = 0;
  }

  #keep(line: string): void {
    this.#waiting.push(line);
    this.#waitingSize += line.length;
    while (this.#waitingSize > MAX_WAITING) {
      this.#waitingSize -= this.#waiting.shift()?.length ?? 0;
      this.#lost++;
    }
  }

  /** Checks from time to time if the name still leads to the file. */
  #checkName(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#file === undefined || nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    try {
      if (this.#file.displaced()) void this.open();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    void this.#file?.close();
    this.#file = undefined;
    if (!this.#isReported) this.#warn(`it cannot be written (${errorMessage(error)}), continuing without it`);
    this.#isReported = true;
    clearTimeout(this.#retry);
    if (!this.#closed) this.#retry = setTimeout(() => void this.open(), RETRY_MS).unref();
  }

  #warn(problem: string): void {
    this.#options.report('error', `Log file ${this.#options.file}: ${problem}`);
  }
}

const MAX_WAITING = 256 * 1024;
const RETRY_MS = 2_000;
const LOOK_EVERY_MS = 1_000;
