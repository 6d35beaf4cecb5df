// Syslog as a sink of the log.

import type { Clock } from '../core/clock.ts';
import type { LogLevel } from '../core/logger.ts';
import { counted } from '../core/text/counted.ts';
import type { DatagramSender } from '../system/native/datagram.ts';

/** What the syslog sink needs. */
interface SyslogOptions {
  /** Opens the socket to /dev/log; called at the first line. */
  readonly open: () => DatagramSender;
  readonly clock: Clock;
  /** The pid of this process. */
  readonly pid: number;
}

/**
 * Sends lines to syslog as datagrams: facility daemon, tag `monitor_service[PID]`. If syslog is full or gone, sending is tried
 * again. Up to 1,000 lines wait; later ones are dropped and counted, and one line reports their number when syslog accepts
 * lines again. Source: RFC 3164, syslog(3).
 */
export class Syslog {
  #options: SyslogOptions;
  #socket: DatagramSender | undefined;
  #waiting: Buffer[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SyslogOptions) {
    this.#options = options;
  }

  /** Sends a line. Never throws, never waits. */
  write(level: LogLevel, message: string): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(this.#datagram(level, message));
    // A timer means that the last try failed: this line waits behind the others.
    if (this.#timer === undefined) this.#send();
  }

  /** Tries the waiting lines a last time, and closes. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#send();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#waiting = [];
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#socket ??= this.#options.open();
    for (;;) {
      const next = this.#waiting[0] ?? this.#reportDropped();
      if (next === undefined) return;
      const result = this.#socket.send(next);
      if (result !== 'sent') {
        this.#timer = setTimeout(() => this.#send(), result === 'full' ? FULL_RETRY_MS : GONE_RETRY_MS).unref();
        return;
      }
      this.#waiting.shift();
    }
  }

  /** The line that reports the dropped ones; it waits like any other. */
  #reportDropped(): Buffer | undefined {
    if (this.#dropped === 0) return undefined;
    const line = this.#datagram(
      'warning',
      `${counted(this.#dropped, 'log line was', 'log lines were')} dropped while syslog accepted none`,
    );
    this.#dropped = 0;
    this.#waiting.push(line);
    return line;
  }

  #datagram(level: LogLevel, message: string): Buffer {
    const { clock, pid } = this.#options;
    const words = message.slice(0, MAX_TEXT).toWellFormed();
    return Buffer.from(`<${FACILITY_DAEMON + severities[level]}>${stamp(clock.date())} monitor_service[${pid}]: ${words}`);
  }
}

/** Syslog's numbers for our levels (syslog(3)). */
export const severities: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warning: 4, error: 3 };

const FACILITY_DAEMON = 3 << 3;
const MAX_WAITING = 1_000;
/** syslogd and its successors accept 8 KiB of bytes by default. */
const MAX_TEXT = 2_000;
const FULL_RETRY_MS = 20;
const GONE_RETRY_MS = 1_000;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Returns `Mmm dd hh:mm:ss`, local time. */
function stamp(date: Date): string {
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
  return `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2, ' ')} ${time}`;
}
