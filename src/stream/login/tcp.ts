import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { rootUids } from '../../system/sockets/holder.ts';
import { FailedLogins } from './failed.ts';
import { readFirstLine } from './first-line.ts';
import { LoginPace } from './pace.ts';
import { type TcpPeer, TcpPeers, userKey } from './peer.ts';

/** What a login is given. */
interface TcpLoginOptions {
  readonly auth: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Puts encryption on a connection that was accepted. */
  readonly secure: ((raw: Socket) => Socket) | undefined;
  /** Somebody is in; what he sent behind the password can still be read. `accept` tells him so. */
  readonly onLoggedIn: (socket: Socket, peer: TcpPeer, accept: () => void) => void;
}

/**
 * The password of TCP clients: `Password: `, one line of at most 256 bytes within 10 s, ended by 2 s of silence too,
 * `Authentication successful.` or `Authentication failed. Disconnecting.` a second later. Who is wrong too often is refused for a
 * while (FailedLogins), or slowed down where it is a program of this machine (LoginPace). At most 64 are at it, and as many of
 * root's, those who are refused or wait among them; of more, the oldest one of the address, or user, that has the most goes.
 * Source: seed 002.
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

  /** Logins that failed, in all. */
  get failed(): number {
    return this.#failed;
  }

  /** Takes a connection that was just accepted. */
  receive(raw: Socket): void {
    const peer = this.#peers.of(raw);
    raw.on('error', () => {});
    const { secure, clock } = this.#options;
    const isRefused = this.#isRefused(peer);
    const socket = isRefused ? raw : (secure?.(raw) ?? raw);
    socket.on('error', () => {});
    this.#pending.set(socket, peer);
    socket.once('close', () => this.#pending.delete(socket));
    // Also of those who are only told to go: a crowd of them would keep everybody else out.
    this.#limit();
    if (!isRefused) void this.#logIn(socket, peer);
    else if (secure === undefined) hangUp(raw, 'Too many failed logins. Disconnecting.', clock);
    else raw.destroy();
  }

  /** Hangs up on everybody who is not in yet. */
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
    const said = await readFirstLine(socket, { limit: MAX_PASSWORD_BYTES, quietMs: QUIET_MS, clock, signal: late.signal });
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
      case 'line':
        if (!(await this.#mayBeLookedAt(socket, peer))) return this.#hangUp(socket);
        // It may have come to be refused while this one was on its way.
        if (said.kind === 'too_long' || this.#isRefused(peer) || !sameText(said.line, auth)) return this.#fail(socket, peer);
        if (peer.isLocal) this.#pace.right(peer.key);
        this.#pending.delete(socket);
        onLoggedIn(socket, peer, () => socket.write('Authentication successful.\n'));
        return;
      default:
        said satisfies never;
    }
  }

  /** Else a right password, which is answered at once, would tell a wrong one as fast as one can ask. */
  async #mayBeLookedAt(socket: Socket, { isLocal, key }: TcpPeer): Promise<boolean> {
    if (!isLocal) return true;
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    socket.once('close', leave);
    const isTurn = await this.#pace.turn(key, gone.signal);
    socket.off('close', leave);
    return isTurn;
  }

  /** Not at once: who guesses shall not guess often. */
  async #fail(socket: Socket, peer: TcpPeer): Promise<void> {
    const { log, clock } = this.#options;
    this.#failed++;
    log.warning(`Event stream: login from ${peer.name} failed${this.#consequence(peer)}`);
    await clock.sleep(FAILURE_MS, this.#stopping.signal);
    this.#hangUp(socket);
  }

  #consequence({ isLocal, key }: TcpPeer): string {
    if (isLocal) return this.#pace.isSlow(key) ? '; the next ones are slowed down' : '';
    return this.#failures.add(key) ? '; it is refused for 5 minutes' : '';
  }

  #hangUp(socket: Socket): void {
    hangUp(socket, 'Authentication failed. Disconnecting.', this.#options.clock);
  }

  /**
   * Of those from here and those from elsewhere the more numerous give way, so that neither keeps the others out; root has its
   * own places.
   */
  #limit(): void {
    const roots = [...this.#pending].filter(([, { holder }]) => holder.kind === 'root');
    if (roots.length > MAX_PENDING) roots[0]?.[0].destroy();
    const others = [...this.#pending].filter(([, { holder }]) => holder.kind !== 'root');
    if (others.length <= MAX_PENDING) return;
    const crowd = mostOf(others, ({ isLocal }) => isLocal);
    // Who has numbers by the thousand comes with one connection of each.
    const strangers = crowd.filter(([, { key }]) => !this.#pace.isKnown(key));
    const [oldest] = mostOf(strangers.length > 0 ? strangers : crowd, ({ key }) => key);
    oldest?.[0].destroy();
  }
}

type Pending = readonly (readonly [Socket, TcpPeer])[];

/** The largest of the groups into which `by` divides them. */
function mostOf(pending: Pending, by: (peer: TcpPeer) => unknown): Pending {
  const groups = [...Map.groupBy(pending, ([, peer]) => by(peer)).values()];
  return groups.sort((a, b) => b.length - a.length)[0] ?? [];
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
/** procMonitor takes whatever comes first for the password, whether or not a line ends there. */
const QUIET_MS = 2000;
const FAILURE_MS = 1000;
const LINGER_MS = 1000;
const MAX_PENDING = 64;

/** In a time that says nothing of where or in what length they differ. */
function sameText(given: Buffer, expected: string): boolean {
  const key = randomBytes(32);
  const digest = (bytes: Buffer | string): Buffer => createHmac('sha256', key).update(bytes).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
