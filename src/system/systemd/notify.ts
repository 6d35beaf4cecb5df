import { type Clock, systemClock } from '../../core/clock.ts';
import { printable } from '../../core/text/printable.ts';
import type { DatagramSender } from '../native/datagram.ts';

/** What systemd is told of the daemon's life. Every call is a no-op where nobody asked to be told. None throws or waits. */
export interface Notifier {
  /** The daemon runs; also the end of a reload. */
  ready(): void;
  /** The configuration is being read again; `ready` ends it. */
  reloading(): void;
  stopping(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** Sign of life. */
  watchdog(): void;
  /** How often `watchdog` has to be called, half of systemd's limit; undefined where systemd does not watch us. */
  readonly watchdogIntervalMs: number | undefined;
}

/**
 * A notifier for the socket that `env` names. The variables stay in `env`: whoever starts processes takes NOTIFY_SOCKET,
 * WATCHDOG_USEC and WATCHDOG_PID out of process.env first, or children could speak in our name. Source: sd_notify(3),
 * sd_watchdog_enabled(3).
 */
export function createNotifier(
  env: Readonly<Record<string, string | undefined>>,
  openDatagram: (path: string) => DatagramSender,
  clock: Clock = systemClock,
): Notifier {
  const path = env.NOTIFY_SOCKET ?? '';
  // `vsock:` is for virtual machines; anything else is no address.
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

/** Messages in their order; while systemd's queue is full they wait, at most 100 of them. */
class Outbox {
  #socket: DatagramSender;
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: DatagramSender) {
    this.#socket = socket;
  }

  send(message: string): void {
    const key = message.slice(0, message.indexOf('='));
    // Of those that wait the newest of a kind is enough; READY after RELOADING stays in its place.
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
      // `gone`: systemd itself went away; nobody is left to tell.
      this.#waiting.shift();
    }
  }
}

const MAX_STATUS = 1_000;
const MAX_WAITING = 100;
const RETRY_MS = 50;
