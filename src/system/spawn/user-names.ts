// Names of users, for callers that cannot wait.
import type { Clock } from '../../core/clock.ts';
import { AccountNames } from '../accounts/names.ts';
import { learnAccountNames } from './learn-account-names.ts';

/** Options of UserNames. */
interface UserNamesOptions {
  readonly clock: Clock;
  /** Ends a look-up that is in progress. */
  readonly signal: AbortSignal;
  /** Default: those of this machine. */
  readonly accounts?: AccountNames;
}

/**
 * Names of users by uid, for callers that cannot wait. Names in /etc/passwd, which is checked once a minute, are known at once.
 * For other uids the machine's directories are asked in the background; until then, and if nobody knows the name, the name is
 * the number, as in ps(1).
 */
export class UserNames {
  readonly #options: UserNamesOptions;
  readonly #accounts: AccountNames;
  readonly #waiting = new Set<number>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #asking = false;

  constructor(options: UserNamesOptions) {
    this.#options = options;
    this.#accounts = options.accounts ?? new AccountNames();
  }

  /** Never waits, never throws. */
  name(uid: number): string {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#lookedAtMs > LOOK_MS) {
      this.#lookedAtMs = nowMs;
      this.#accounts.refresh();
    }
    const name = this.#accounts.users.name(uid);
    if (name === undefined) this.#ask(uid);
    return name ?? String(uid);
  }

  #ask(uid: number): void {
    // A machine with more unknown users than this gets them from a place that has no names for them.
    if (this.#waiting.size >= MAX_WAITING || this.#accounts.users.unknown([uid]).length === 0) return;
    this.#waiting.add(uid);
    if (!this.#asking) void this.#askAll();
  }

  async #askAll(): Promise<void> {
    const { signal } = this.#options;
    this.#asking = true;
    while (this.#waiting.size > 0 && !signal.aborted) {
      const uids = [...this.#waiting];
      await learnAccountNames(this.#accounts, { uids, gids: [] }, signal);
      for (const uid of uids) this.#waiting.delete(uid);
    }
    this.#asking = false;
  }
}

const LOOK_MS = 60_000;
const MAX_WAITING = 1000;
