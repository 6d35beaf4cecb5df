import type { Clock } from '../../core/clock.ts';
import { Turns } from './turns.ts';

/**
 * Decides when a password from a user of this machine is checked. Nobody is refused: five wrong ones are checked at once,
 * further ones one every two seconds, from all connections of the user together, the newest first. A user who pauses has five
 * again after ten seconds. A right password costs nothing. Each user has a rate of its own, so that a user who guesses only
 * delays itself. For all users together, because one may have 65,536 user ids (subuid(5)), fifty are checked at once and then
 * ten a second; root, and users who gave the right password before, are not delayed by that. At rest only the users who gave
 * the right password are remembered.
 */
export class LoginPace {
  readonly #clock: Clock;
  readonly #ending: AbortSignal;
  readonly #paces = new Map<string, Turns>();
  readonly #sharedPace: Turns;
  /** Users who gave the right password, the last one last. */
  readonly #provenUsers = new Set<string>();
  readonly #trusted: ReadonlySet<string>;

  /** When `ending` aborts, no more turns come. `trusted`: root, who is known from the start. */
  constructor(clock: Clock, ending: AbortSignal, trusted: readonly string[] = []) {
    this.#clock = clock;
    this.#ending = ending;
    this.#sharedPace = new Turns({ clock, ending, ...PACE_OF_ALL });
    this.#trusted = new Set(trusted);
  }

  /**
   * Resolves to true when a password of `user` may be checked; to false if that takes longer than 30 s, or if `gone` aborts
   * before.
   */
  async turn(user: string, gone: AbortSignal): Promise<boolean> {
    const began = this.#clock.monotonicMs();
    if (!(await this.#paceOf(user).take(gone, LONGEST_WAIT_MS))) return false;
    if (this.isKnown(user)) return true;
    return this.#sharedPace.take(gone, LONGEST_WAIT_MS - (this.#clock.monotonicMs() - began));
  }

  /** True if the next password of `user` must wait for its own earlier ones. */
  isSlow(user: string): boolean {
    return this.#paceOf(user).isUsedUp;
  }

  /** True for root, and for users who gave the right password before. */
  isKnown(user: string): boolean {
    return this.#trusted.has(user) || this.#provenUsers.has(user);
  }

  /** Records that the password was right. */
  recordSuccess(user: string): void {
    this.#paceOf(user).giveBack();
    if (!this.isKnown(user)) this.#sharedPace.giveBack();
    this.#provenUsers.delete(user);
    this.#provenUsers.add(user);
    const [first] = this.#provenUsers;
    if (this.#provenUsers.size > MAX_REMEMBERED && first !== undefined) this.#provenUsers.delete(first);
  }

  #paceOf(user: string): Turns {
    const known = this.#paces.get(user);
    if (known !== undefined) return known;
    if (this.#paces.size >= MAX_REMEMBERED) this.#forget();
    const pace = new Turns({ clock: this.#clock, ending: this.#ending, ...PACE_OF_ONE });
    this.#paces.set(user, pace);
    return pace;
  }

  /** Forgets the users at rest; if none is at rest, the one that came first. */
  #forget(): void {
    for (const [user, pace] of this.#paces) if (pace.isAtRest) this.#paces.delete(user);
    const [first] = this.#paces.keys();
    if (this.#paces.size >= MAX_REMEMBERED && first !== undefined) this.#paces.delete(first);
  }
}

const PACE_OF_ONE = { free: 5, intervalMs: 2000 };
const PACE_OF_ALL = { free: 50, intervalMs: 100 };
const LONGEST_WAIT_MS = 30_000;
const MAX_REMEMBERED = 1024;
