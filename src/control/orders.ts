import type { RestartPreview } from '../core/outcomes.ts';
import type { DaemonStatus, ProcessDetails } from './status.ts';

/** Everything the control socket can ask of the daemon, by one who is known. app.ts binds it to the monitor. Never rejects but for bugs. */
export interface Orders {
  status(): DaemonStatus | Promise<DaemonStatus>;
  /** One recovery now, through the same code as an alarm's, whatever the breaker says. Resolves at its end. */
  recover(name: string): Promise<RecoverReply>;
  /** Closes the breaker of one process, or all; the names whose breaker was not closed before. */
  resetBreakers(name: string | undefined): Promise<OrderReply<{ readonly reset: readonly string[] }>>;
  /** All that is known of the process of that name, as of now. */
  describe(name: string): Promise<OrderReply<ProcessDetails>>;
  /** What the strategy of `name` would do, without doing it. */
  preview(name: string): Promise<OrderReply<RestartPreview & { readonly strategy: string; readonly target: string }>>;
  /** Reads the configuration again; on problems the running one stays. */
  reload(): Promise<OrderReply<{ readonly changes: readonly string[]; readonly warnings: readonly string[] }>>;
  /**
   * No restarts of `name`, or of what it stands for under another name (undefined: of anything), for `forMs` (undefined: until
   * released); `strict`: nor starts that something else only wants.
   */
  hold(
    name: string | undefined,
    forMs: number | undefined,
    reason: string,
    strict?: boolean,
  ): Promise<OrderReply<{ readonly until: string | null }>>;
  /**
   * Ends the hold of that very name, or all; the names that were held (null: everything was), [] if a known name was not. `stillHeld`:
   * what hold keeps the name from a restart all the same, in a sentence; absent if none does.
   */
  release(
    name: string | undefined,
  ): Promise<OrderReply<{ readonly released: readonly (string | null)[]; readonly stillHeld?: string | undefined }>>;
  /** Raises (or, with `clear`, ends) the alarm of a row, named by process name or id, and wakes the loop. */
  alarm(
    nameOrId: string,
    clear: boolean,
    notes: string | undefined,
  ): Promise<OrderReply<{ readonly processes: readonly OrderedAlarm[] }>>;
  /** How `name` could be pinned, or why it cannot be; undefined: the same of each program that would not be started again without. */
  pins(name: string | undefined): Promise<
    OrderReply<{
      readonly offers: readonly PinOffer[];
      readonly refusals: readonly { readonly name: string; readonly reason: string }[];
    }>
  >;
  /**
   * Pins what an offer of that digest showed: it may be started so from now on. A `conflict` where that is another one by now. Closes
   * its circuit breaker; `closed`: the names whose breaker was not at rest, absent if none.
   */
  pin(
    name: string,
    digest: string,
  ): Promise<OrderReply<{ readonly pinned: readonly string[]; readonly closed?: readonly string[] | undefined }>>;
  /** Removes the pin of one program, or all; the system names that had one, [] if a known name has none. */
  unpin(name: string | undefined): Promise<OrderReply<{ readonly unpinned: readonly string[] }>>;
}

/** A row whose alarm was raised or ended. */
export interface OrderedAlarm {
  /** null: the daemon kept the alarm itself. */
  readonly id: string | null;
  readonly name: string;
  /** It was to be ended, and there was no alarm to end; absent otherwise. */
  readonly wasNotInAlarm?: boolean | undefined;
  /** Why its alarm stays as things stand, a sentence each; absent if it is healed, or if that could not be told soon. */
  readonly willNotFollow?: readonly string[] | undefined;
  /** Why the restart that is tried will fail, a sentence each; absent if nothing says so. */
  readonly willFail?: readonly string[] | undefined;
}

/** How a program could be pinned. Texts are whatever its process says of itself. */
export interface PinOffer {
  readonly name: string;
  /** What its pin is kept under. */
  readonly systemName: string;
  /** Stands for all of it, so that what is pinned is what was shown: SHA-256, hexadecimal. */
  readonly digest: string;
  /** As it runs now; else as it was recorded. */
  readonly running: boolean;
  /** Why it would not be started again without; null where it would. */
  readonly concern: string | null;
  readonly launches: readonly {
    readonly argv: readonly string[];
    readonly executable: string;
    readonly cwd: string;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
    /** Names of the environment's variables: their values may be secrets. */
    readonly variables: readonly string[];
    /** What it executes, as far as that can be told, with SHA-256. */
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
  }[];
}

/** An order was carried out, or not. */
export type OrderReply<T> = ({ readonly kind: 'done' } & T) | Refusal;

/**
 * One line why not. `not_found`: nothing of that name; `conflict`: not now; `unavailable`: the store is away; `denied`: the store
 * does not let us, or the order is root's alone.
 */
interface Refusal {
  readonly kind: 'refused';
  readonly code: 'invalid' | 'not_found' | 'conflict' | 'unavailable' | 'denied';
  readonly reason: string;
}

/** What became of an ordered recovery. */
export type RecoverReply =
  | { readonly kind: 'recovered'; readonly attempts: number; readonly durationMs: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'skipped'; readonly reason: string }
  /** It was restarted, and nobody can tell whether it is well. */
  | { readonly kind: 'not_proved'; readonly reason: string }
  | Refusal;
