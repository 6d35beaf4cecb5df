// The login of TCP clients.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { rootUids } from '../../system/sockets/holder.ts';
import { FailedLogins } from './failed.ts';
import { readFirstLine } from './first-line.ts';
import { LoginPace } from './pace.ts';
import { type TcpPeer, TcpPeers, userKey } from './peer.ts';

/** What a login needs. */
interface TcpLoginOptions {
  readonly auth: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Adds encryption to an accepted connection. */
  readonly secure: ((raw: Socket) => Socket) | undefined;
  /**
   * Called after a successful login. What was sent after the password can still be read. `accept` confirms the login to the
   * client.
   */
  readonly onLoggedIn: (socket: Socket, peer: TcpPeer, accept: () => void) => void;
}

/**
 * Asks TCP clients for the password: `Password: `, one line of at most 256 bytes within 10 s, also ended by 2 s of silence,
 * then `Authentication successful.` or, a second later, `Authentication failed. Disconnecting.`. An address that is wrong too
 * often is refused for a while (FailedLogins), a user of this machine is slowed down (LoginPace). At most 64 logins are
 * pending, including those that are refused or wait, and as many of root. If there are more, the oldest one of the address or
 * user with the most is disconnected. Source: the procMonitor protocol.
 */
export class TcpLogin {
  readonly #options: TcpLoginOptions;
  readonly #peers: TcpPeers;
  readonly #failures: FailedLogins;
  readonly #pace: LoginPace;
  readonly #pending = new Map<Socket, TcpPeer>();
  readonly #stopping = new AbortController();
  #failed = 0;

  constructor(options: TcpLoginOptions) {
    this.#options = options;
    this.#peers = new TcpPeers(options.clock);
    this.#failures = new FailedLogins(options.clock);
    this.#pace = new LoginPace(options.clock, this.#stopping.signal, rootUids().map(userKey));
  }

  /** The number of failed logins. */
  get failed(): number {
    return this.#failed;
  }

  /** Accepts a connection. */
  receive(raw: Socket): void {
    const peer = this.#peers.of(raw);
    raw.on('error', () => {});
    const { secure, clock } = this.#options;
    const isRefused = this.#isRefused(peer);
    const socket = isRefused ? raw : (secure?.(raw) ?? raw);
    socket.on('error', () => {});
    this.#pending.set(socket, peer);
    socket.once('close', () => this.#pending.delete(socket));
    // Applies to refused ones too: many of them would keep everybody else out.
    this.#limit();
    if (!isRefused) void this.#logIn(socket, peer);
    else if (secure === undefined) hangUp(raw, 'Too many failed logins. Disconnecting.', clock);
    else raw.destroy();
  }

  /** Disconnects everybody who is not logged in yet. */
  stop(): void {
    this.#stopping.abort();
    for (const socket of this.#pending.keys()) socket.destroy();
  }

  #isRefused({ isLocal, key }: TcpPeer): boolean {
    return !isLocal && this.#failures.isRefused(key);
  }

  async #logIn(socket: Socket, peer: TcpPeer): Promise<void> {
    const { auth, clock, onLoggedIn } = this.#options;
    const read = new AbortController();
    const late = new AbortController();
    void clock.sleep(LIMIT_MS, read.signal).then(() => late.abort());
    socket.write('Password: ');
    const first = await readFirstLine(socket, { limit: MAX_PASSWORD_BYTES, quietMs: QUIET_MS, clock, signal: late.signal });
    read.abort();
    switch (first.kind) {
      case 'gone':
        socket.destroy();
        return;
      case 'too_late':
        // No password was tried: a program that only checks if the port is open must not be refused later.
        this.#hangUp(socket);
        return;
      case 'too_long':
      case 'line':
        if (!(await this.#waitForTurn(socket, peer))) return this.#hangUp(socket);
        // The address may have been refused since this login began.
        if (first.kind === 'too_long' || this.#isRefused(peer) || !sameText(first.line, auth)) return this.#fail(socket, peer);
        if (peer.isLocal) this.#pace.recordSuccess(peer.key);
        this.#pending.delete(socket);
        onLoggedIn(socket, peer, () => socket.write('Authentication successful.\n'));
        return;
      default:
        first satisfies never;
    }
  }

  /** Makes right passwords wait too: they are answered at once, and would otherwise show a wrong one as fast as one can ask. */
  async #waitForTurn(socket: Socket, { isLocal, key }: TcpPeer): Promise<boolean> {
    if (!isLocal) return true;
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    socket.once('close', leave);
    const isTurn = await this.#pace.turn(key, gone.signal);
    socket.off('close', leave);
    return isTurn;
  }

  /** Answers late, so that nobody can guess often. */
  async #fail(socket: Socket, peer: TcpPeer): Promise<void> {
    const { log, clock } = this.#options;
    this.#failed++;
    log.warning(`Event stream: login from ${peer.name} failed${this.#recordFailure(peer)}`);
    await clock.sleep(FAILURE_MS, this.#stopping.signal);
    this.#hangUp(socket);
  }

  #recordFailure({ isLocal, key }: TcpPeer): string {
    if (isLocal) return this.#pace.isSlow(key) ? '; further attempts are slowed down' : '';
    return this.#failures.add(key) ? '; it is refused for 5 minutes' : '';
  }

  #hangUp(socket: Socket): void {
    hangUp(socket, 'Authentication failed. Disconnecting.', this.#options.clock);
  }

  /**
   * Limits the pending logins. The larger group, local or remote, loses one, so that neither keeps the other out; root has its
   * own places.
   */
  #limit(): void {
    const roots = [...this.#pending].filter(([, { holder }]) => holder.kind === 'root');
    if (roots.length > MAX_PENDING) roots[0]?.[0].destroy();
    const others = [...this.#pending].filter(([, { holder }]) => holder.kind !== 'root');
    if (others.length <= MAX_PENDING) return;
    const larger = mostOf(others, ({ isLocal }) => isLocal);
    // A user with thousands of user ids may open one connection for each.
    const unknown = larger.filter(([, { key }]) => !this.#pace.isKnown(key));
    const [oldest] = mostOf(unknown.length > 0 ? unknown : larger, ({ key }) => key);
    oldest?.[0].destroy();
  }
}

type Pending = readonly (readonly [Socket, TcpPeer])[];

/** Returns the largest of the groups into which `by` divides them. */
function mostOf(pending: Pending, by: (peer: TcpPeer) => unknown): Pending {
  const groups = [...Map.groupBy(pending, ([, peer]) => by(peer)).values()];
  return groups.sort((a, b) => b.length - a.length)[0] ?? [];
}

/** Writes `line` and closes. Discards what the other side still sends meanwhile, or it would not see the line. */
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
/** procMonitor takes whatever comes first as the password, whether or not a line ends there. */
const QUIET_MS = 2000;
const FAILURE_MS = 1000;
const LINGER_MS = 1000;
const MAX_PENDING = 64;

/** Compares in a time that does not depend on where they differ, or on their lengths. */
function sameText(given: Buffer, expected: string): boolean {
  const key = randomBytes(32);
  const digest = (bytes: Buffer | string): Buffer => createHmac('sha256', key).update(bytes).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
