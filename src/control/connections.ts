import type { Socket } from 'node:net';

/** Whose a connection is, by the kernel's word: root's (or the daemon's own user's), or the user's of that number, undefined if it cannot be told. */
export type Holder = { readonly kind: 'root' } | { readonly kind: 'user'; readonly uid: number | undefined };

/** Why an order is not carried out now; `limit`: how many may be under way. */
export type Crowd = { readonly kind: 'user' | 'all'; readonly limit: number };

/** How many connections there may be. */
export interface ConnectionLimits {
  /** Of root, and of all others together. */
  readonly open: number;
  /** Whose orders are being carried out, of root, and of all others together; fewer than `open`, so that one who comes always finds a place. */
  readonly busy: number;
  /** The same of one user who is not root. */
  readonly busyOfUser: number;
}

/**
 * The open connections of a server. Root's places and those of all others are counted apart, so that nobody takes root's. Above the limit
 * the oldest one that is not being served goes, of the user who has the most; never the one that has just come.
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

  /** From now on its order is being carried out, and it waits for the answer; or why that cannot be. */
  markBusy(connection: Socket): Crowd | undefined {
    const own = this.#open.get(connection);
    if (own === undefined) return undefined;
    const { busy: limit, busyOfUser } = this.#limits;
    const alike = [...this.#open.values()].filter(({ holder, busy }) => busy && holder.kind === own.holder.kind);
    const uid = userOf(own.holder);
    const isCounted = own.holder.kind === 'user' && uid !== undefined;
    if (isCounted && alike.filter(({ holder }) => userOf(holder) === uid).length >= busyOfUser)
      return { kind: 'user', limit: busyOfUser };
    if (alike.length >= limit) return { kind: 'all', limit };
    own.busy = true;
    return undefined;
  }

  isBusy(connection: Socket): boolean {
    return this.#open.get(connection)?.busy === true;
  }

  /** Ends those that have asked nothing. */
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

function userOf(holder: Holder): number | undefined {
  return holder.kind === 'user' ? holder.uid : undefined;
}
