import type { Input } from './input.ts';
import type { ReplyForm } from './reply.ts';

/**
 * One order that the control socket takes: everything that its client, its route, the port `Orders` and the command line
 * without a daemon need to know about it. Each order is one file in orders/ and one row in its index.
 */
export interface Order {
  /** GET: it changes nothing, and nobody logs who gave it. */
  readonly method: 'GET' | 'POST';
  /** The path without a query; two orders may share it if their methods differ. */
  readonly path: string;
  /** `root`: only for root, as the kernel identifies the peer; never for a group that may use the socket. */
  readonly scope: 'users' | 'root';
  readonly withoutDaemon: WithoutDaemon;
  /** How long a client waits for the answer, in milliseconds; undefined: without a limit. */
  readonly timeoutMs: number | undefined;
  /** Its arguments. */
  readonly input: Input<readonly unknown[]>;
  /** Its result. */
  readonly reply: ReplyForm<unknown>;
  /** Parts of the reply that have a path of their own: path → the body of the answer. Only for orders without input. */
  readonly parts?: Readonly<Record<string, (reply: never) => unknown>>;
}

/**
 * How the command line carries the order out while no daemon runs.
 * - `look`: reads store and state, without the lock of state_dir
 * - `place`: acts in place of the daemon, with the lock
 * - `own`: in its own way, which app/ implements
 * - `never`: only a daemon can carry it out
 */
export type WithoutDaemon = 'look' | 'place' | 'own' | 'never';

/** Milliseconds within which a daemon answers from its memory. */
export const QUICK_MS = 10_000;
/** Milliseconds for an answer that may wait for a database, systemd or a look at all processes. */
export const USUAL_MS = 60_000;
