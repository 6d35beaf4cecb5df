import type { Socket } from 'node:net';
import type { Holder } from './holder.ts';

/** Of whom too many are being served; `limit`: how many may be. */
export type Crowd = { readonly kind: 'user' | 'all'; readonly limit: number };

/** How many connections there may be. */
interface ConnectionLimits {
  /** Of root, and of all others together. */
  readonly open: number;
  /** Who is being served, of root, and of all others together; fewer than `open`, so that one who comes always finds a place. */
  readonly busy: number;
  /** The same of one user who is not root. */
  readonly busyOfUser: number;
}

/**
 * The open connections of a server, from its accept on or from a login. Root's places and those of all others are counted apart,
 * so that nobody takes root's. Above the limit the oldest one that is not being served goes, of the user who has the most; never
 * the one that has just come.
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
    const crowds = [...byUser.values()].sort((a, b) => b.length - a.length);
    const idle = crowds.flat().find(([other, { busy }]) => !busy && other !== connection);
    if (idle !== undefined) this.#end(idle[0]);
  }

  /** From now on it is being served; or why that cannot be. Where places are short, one of those who have them that `mayGo` gives way. */
  markBusy(connection: Socket, mayGo: (other: Socket) => boolean = () => false): Crowd | undefined {
    const own = this.#open.get(connection);
    if (own === undefined) return undefined;
    const crowded = this.#crowded(own.holder);
    const gone = crowded?.members.find(mayGo);
    if (gone !== undefined) this.#end(gone);
    else if (crowded !== undefined) return crowded.crowd;
    own.busy = true;
    return undefined;
  }

  /** Those who have all the places that this one may have; undefined where there is one left. */
  #crowded(own: Holder): { readonly crowd: Crowd; readonly members: readonly Socket[] } | undefined {
    const { busy: limit, busyOfUser } = this.#limits;
    const alike = [...this.#open].filter(([, { holder, busy }]) => busy && holder.kind === own.kind);
    const uid = userOf(own);
    const ofUser = uid === undefined ? [] : alike.filter(([, { holder }]) => userOf(holder) === uid);
    if (ofUser.length >= busyOfUser) return { crowd: { kind: 'user', limit: busyOfUser }, members: socketsOf(ofUser) };
    return alike.length >= limit ? { crowd: { kind: 'all', limit }, members: socketsOf(alike) } : undefined;
  }

  isBusy(connection: Socket): boolean {
    return this.#open.get(connection)?.busy === true;
  }

  /** Ends those that are not being served. */
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
