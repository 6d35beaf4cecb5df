import type { Input } from './input.ts';
import type { ReplyForm } from './reply.ts';

/**
 * One order that the control socket takes: everything that its client, its route, the port `Orders` and the command line without a
 * daemon need to know of it. Each is a file in orders/ and a row in its index.
 */
export interface Order {
  /** GET: it only looks, and no log tells who gave it. */
  readonly method: 'GET' | 'POST';
  /** Without a query; two orders may share it if their methods differ. */
  readonly path: string;
  /** `root`: for root alone, by the kernel's word on who is at the other end: never for a group that may use the socket. */
  readonly scope: 'users' | 'root';
  readonly withoutDaemon: WithoutDaemon;
  /** How long a client waits for the answer, in milliseconds; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
  /** What it is given. */
  readonly input: Input<readonly unknown[]>;
  /** What comes back. */
  readonly reply: ReplyForm<unknown>;
  /** Parts of the reply that can be asked for alone: path → the body of the answer. Of orders without input. */
  readonly parts?: Readonly<Record<string, (reply: never) => unknown>>;
}

/**
 * How the command line carries the order out while no daemon runs.
 * - `look`: at store and state, without the state_dir's lock
 * - `place`: in the daemon's place, with the lock
 * - `own`: in a way of its own, which app/ says
 * - `never`: only a daemon can
 */
export type WithoutDaemon = 'look' | 'place' | 'own' | 'never';

/** A daemon answers within this time from its memory. */
export const QUICK_MS = 10_000;
/** What may wait for a database, systemd or a look at all processes. */
export const USUAL_MS = 60_000;
