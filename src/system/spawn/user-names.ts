import type { Clock } from '../../core/clock.ts';
import { AccountNames } from '../accounts/names.ts';
import { learnAccountNames } from './learn-account-names.ts';

/** What user names are looked up with. */
interface UserNamesOptions {
  readonly clock: Clock;
  /** Ends a lookup that is under way. */
  readonly signal: AbortSignal;
  /** Those of this machine unless said. */
  readonly accounts?: AccountNames;
}

/**
 * Names of users by uid, for those who cannot wait: what stands in /etc/passwd, which is looked at once a minute. For a uid that
 * does not, the machine's directories are asked in the background; meanwhile, and where nobody knows it, its name is its number,
 * as in ps(1).
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
    // A machine with more unknown users than that has them from somewhere where they have no names.
    if (this.#waiting.size >= MOST_WAITING || this.#accounts.users.unknown([uid]).length === 0) return;
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
const MOST_WAITING = 1000;
