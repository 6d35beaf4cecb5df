import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { FailedLogins, networkOf } from './failed-logins.ts';
import { readFirstLine } from './first-line.ts';

/** What a login is given. */
export interface TcpLoginOptions {
  readonly auth: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Puts encryption on a connection that was accepted. */
  readonly secure: ((raw: Socket) => Socket) | undefined;
  /** Somebody is in; what he sent behind the password can still be read. `accept` tells him so. */
  readonly onLoggedIn: (socket: Socket, address: string, accept: () => void) => void;
}

/**
 * The password of TCP clients: `Password: `, one line of at most 256 bytes within 10 s, `Authentication successful.` or
 * `Authentication failed. Disconnecting.` a second later. At most 64 are at it, those who are refused among them; of more, the oldest
 * one of the address that has the most goes. Source: seed 002.
 */
export class TcpLogin {
  readonly #options: TcpLoginOptions;
  readonly #failures: FailedLogins;
  readonly #pending = new Map<Socket, string>();
  readonly #stopping = new AbortController();

  constructor(options: TcpLoginOptions) {
    this.#options = options;
    this.#failures = new FailedLogins(options.clock);
  }

  /** Logins that failed, in all. */
  get failed(): number {
    return this.#failures.count;
  }

  /** Takes a connection that was just accepted. */
  receive(raw: Socket): void {
    const address = raw.remoteAddress ?? '';
    raw.on('error', () => {});
    const { secure, clock } = this.#options;
    const isRefused = this.#failures.isRefused(address);
    const socket = isRefused ? raw : (secure?.(raw) ?? raw);
    socket.on('error', () => {});
    this.#pending.set(socket, address);
    socket.once('close', () => this.#pending.delete(socket));
    // Also of those who are only told to go: a crowd of them would keep everybody else out.
    this.#limit();
    if (!isRefused) void this.#logIn(socket, address);
    else if (secure === undefined) hangUp(raw, 'Too many failed logins. Disconnecting.', clock);
    else raw.destroy();
  }

  /** Hangs up on everybody who is not in yet. */
  stop(): void {
    this.#stopping.abort();
    for (const socket of this.#pending.keys()) socket.destroy();
  }

  async #logIn(socket: Socket, address: string): Promise<void> {
    const { auth, clock, onLoggedIn } = this.#options;
    const read = new AbortController();
    const late = new AbortController();
    void clock.sleep(LIMIT_MS, read.signal).then(() => late.abort());
    socket.write('Password: ');
    const said = await readFirstLine(socket, MAX_PASSWORD_BYTES, late.signal);
    read.abort();
    switch (said.kind) {
      case 'gone':
        socket.destroy();
        return;
      case 'too_late':
        // Nothing was guessed: somebody who only looks whether the port is open is not refused later.
        this.#hangUp(socket);
        return;
      case 'too_long':
        await this.#fail(socket, address);
        return;
      case 'line':
        // It may have come to be refused while this one was on its way.
        if (this.#failures.isRefused(address) || !sameText(said.line, auth)) return this.#fail(socket, address);
        this.#pending.delete(socket);
        onLoggedIn(socket, address, () => socket.write('Authentication successful.\n'));
        return;
      default:
        said satisfies never;
    }
  }

  /** Not at once: who guesses shall not guess often. */
  async #fail(socket: Socket, address: string): Promise<void> {
    const { log, clock } = this.#options;
    const refused = this.#failures.add(address);
    log.warning(`Event stream: login from ${address} failed${refused ? '; it is refused for 5 minutes' : ''}`);
    await clock.sleep(FAILURE_MS, this.#stopping.signal);
    this.#hangUp(socket);
  }

  #hangUp(socket: Socket): void {
    hangUp(socket, 'Authentication failed. Disconnecting.', this.#options.clock);
  }

  #limit(): void {
    if (this.#pending.size <= MAX_PENDING) return;
    const byAddress = Map.groupBy(this.#pending, ([, address]) => networkOf(address));
    const [most] = [...byAddress.values()].sort((a, b) => b.length - a.length);
    most?.[0]?.[0].destroy();
  }
}

/** Says `line` and closes; what the other side still sends is thrown away meanwhile, or it would not see the line. */
export function hangUp(socket: Socket, line: string, clock: Clock): void {
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  if (socket.destroyed) return;
  socket.on('data', () => {});
  socket.resume();
  socket.end(`${line}\n`);
  void clock.sleep(LINGER_MS, closed.signal).then(() => socket.destroy());
}

const MAX_PASSWORD_BYTES = 256;
const LIMIT_MS = 10_000;
const FAILURE_MS = 1000;
const LINGER_MS = 1000;
const MAX_PENDING = 64;

/** In a time that says nothing of where or in what length they differ. */
function sameText(given: Buffer, expected: string): boolean {
  const key = randomBytes(32);
  const digest = (bytes: Buffer | string): Buffer => createHmac('sha256', key).update(bytes).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
