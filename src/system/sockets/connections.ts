// The open connections of a server, and the limits on them.
import type { Socket } from 'node:net';
import type { Holder } from './holder.ts';

/** The limit that is reached: of connections of one `user`, or of `all`; `limit`: how many may be served at once. */
export type ReachedLimit = { readonly kind: 'user' | 'all'; readonly limit: number };

/** The limits on the number of connections. */
interface ConnectionLimits {
  /** Open connections of root, and as many of all others together. */
  readonly open: number;
  /**
   * Connections that are being served, of root, and as many of all others together; fewer than `open`, so that a new connection
   * always finds a place.
   */
  readonly busy: number;
  /** The same for one user who is not root. */
  readonly busyOfUser: number;
}

/**
 * The open connections of a server, counted from accept or from a login. The places of root and of all others are counted
 * separately, so that nobody takes root's. Above the limit the oldest connection that is not being served is ended, of the user
 * who has the most; never the newest one.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #open = new Map<Socket, { readonly holder: Holder; busy: boolean }>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Counts a connection until it closes. */
  add(connection: Socket, holder: Holder): void {
    this.#open.set(connection, { holder, busy: false });
    connection.once('close', () => this.#open.delete(connection));
    const alike = [...this.#open].filter(([, other]) => other.holder.kind === holder.kind);
    if (alike.length <= this.#limits.open) return;
    const byUser = Map.groupBy(alike, ([, other]) => userOf(other.holder));
    const groups = [...byUser.values()].sort((a, b) => b.length - a.length);
    const idle = groups.flat().find(([other, { busy }]) => !busy && other !== connection);
    if (idle !== undefined) this.#end(idle[0]);
  }

  /**
   * Marks the connection as being served, or returns the limit that prevents it. If the limit is reached, one of the
   * connections that count towards it and that `mayGo` accepts is ended to make room.
   */
  markBusy(connection: Socket, mayGo: (other: Socket) => boolean = () => false): ReachedLimit | undefined {
    const own = this.#open.get(connection);
    if (own === undefined) return undefined;
    const full = this.#fullFor(own.holder);
    const gone = full?.members.find(mayGo);
    if (gone !== undefined) this.#end(gone);
    else if (full !== undefined) return full.reached;
    own.busy = true;
    return undefined;
  }

  /** The connections that take all the places that this one may have; undefined if a place is left. */
  #fullFor(own: Holder): { readonly reached: ReachedLimit; readonly members: readonly Socket[] } | undefined {
    const { busy: limit, busyOfUser } = this.#limits;
    const alike = [...this.#open].filter(([, { holder, busy }]) => busy && holder.kind === own.kind);
    const uid = userOf(own);
    const ofUser = uid === undefined ? [] : alike.filter(([, { holder }]) => userOf(holder) === uid);
    if (ofUser.length >= busyOfUser) return { reached: { kind: 'user', limit: busyOfUser }, members: socketsOf(ofUser) };
    return alike.length >= limit ? { reached: { kind: 'all', limit }, members: socketsOf(alike) } : undefined;
  }

  isBusy(connection: Socket): boolean {
    return this.#open.get(connection)?.busy === true;
  }

  /** Ends the connections that are not being served. */
  endIdle(): void {
    for (const [connection, { busy }] of this.#open) if (!busy) this.#end(connection);
  }

  endAll(): void {
    for (const connection of this.#open.keys()) this.#end(connection);
  }

  #end(connection: Socket): void {
    this.#open.delete(connection);
    connection.destroy();
  }
}

function socketsOf(entries: readonly (readonly [Socket, unknown])[]): Socket[] {
  return entries.map(([socket]) => socket);
}

function userOf(holder: Holder): number | undefined {
  return holder.kind === 'user' ? holder.uid : undefined;
}
