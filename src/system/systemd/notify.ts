import { type Clock, systemClock } from '../../core/clock.ts';
import { printable } from '../../core/text/printable.ts';
import type { DatagramSender } from '../native/datagram.ts';

/**
 * Reports the daemon's state to systemd. Every call does nothing if nobody asked for these reports. No call throws or waits.
 */
export interface Notifier {
  /** The daemon runs. Also marks the end of a reload. */
  ready(): void;
  /** The configuration is being read again. `ready` marks the end. */
  reloading(): void;
  stopping(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** A sign of life. */
  watchdog(): void;
  /** How often `watchdog` must be called: half of systemd's limit, in milliseconds. Undefined if systemd does not watch us. */
  readonly watchdogIntervalMs: number | undefined;
}

/**
 * Creates a notifier for the socket that `env` names. The variables stay in `env`: code that starts processes must first remove
 * NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from process.env, or children could report in our name. Source: sd_notify(3),
 * sd_watchdog_enabled(3).
 */
export function createNotifier(
  env: Readonly<Record<string, string | undefined>>,
  openDatagram: (path: string) => DatagramSender,
  clock: Clock = systemClock,
): Notifier {
  const path = env.NOTIFY_SOCKET ?? '';
  // `vsock:` is for virtual machines; anything else is not an address.
  const outbox = /^[/@]./.test(path) ? new Outbox(openDatagram(path)) : undefined;
  let lastStatus: string | undefined;
  return {
    ready: () => outbox?.send('READY=1'),
    reloading: () => outbox?.send(`RELOADING=1\nMONOTONIC_USEC=${Math.floor(clock.monotonicMs() * 1000)}`),
    stopping: () => outbox?.send('STOPPING=1'),
    status: (text) => {
      if (text === lastStatus) return;
      lastStatus = text;
      outbox?.send(`STATUS=${printable(text.slice(0, MAX_STATUS)).toWellFormed()}`);
    },
    watchdog: () => outbox?.send('WATCHDOG=1'),
    watchdogIntervalMs: outbox && watchdogInterval(env),
  };
}

function watchdogInterval(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const { WATCHDOG_USEC: limit = '', WATCHDOG_PID: pid } = env;
  if (!/^[1-9]\d{0,15}$/.test(limit) || (pid && pid !== String(process.pid))) return undefined;
  return Number(limit) / 2 / 1000;
}

/** Sends messages in order. While systemd's queue is full they wait, at most 100 of them. */
class Outbox {
  #socket: DatagramSender;
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: DatagramSender) {
    this.#socket = socket;
  }

  send(message: string): void {
    const key = message.slice(0, message.indexOf('='));
    // Of the waiting messages the newest of a kind is enough. READY after RELOADING keeps its place.
    if (key === 'STATUS' || key === 'WATCHDOG') this.#waiting = this.#waiting.filter((other) => !other.startsWith(`${key}=`));
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(message);
    if (this.#timer === undefined) this.#flush();
  }

  #flush(): void {
    this.#timer = undefined;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#socket.send(Buffer.from(next)) === 'full') {
        this.#timer = setTimeout(() => this.#flush(), RETRY_MS).unref();
        return;
      }
      // `gone`: systemd itself has gone; there is no receiver.
      this.#waiting.shift();
    }
  }
}

const MAX_STATUS = 1_000;
const MAX_WAITING = 100;
const RETRY_MS = 50;
