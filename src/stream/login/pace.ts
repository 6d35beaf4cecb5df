import type { Clock } from '../../core/clock.ts';
import { Turns } from './turns.ts';

/**
 * When a password that somebody on this machine gives is looked at. Nobody is refused: five wrong ones are looked at at once, further
 * ones one every two seconds, however many connections they come by, the newest first; who rests has five again after ten seconds. A
 * right one costs nothing. Each user has a pace of his own, so that who guesses holds up himself alone. Of all users together, for one may
 * have 65,536 numbers (subuid(5)), ten a second are looked at, after fifty at once; root, and those who gave the right one before, are not
 * held up by that. At rest nothing is remembered but who they are.
 */
export class LoginPace {
  readonly #clock: Clock;
  readonly #ending: AbortSignal;
  readonly #paces = new Map<string, Turns>();
  readonly #ofAll: Turns;
  /** Who gave the right one, the last one last. */
  readonly #known = new Set<string>();
  readonly #trusted: ReadonlySet<string>;

  /** Once `ending` aborts nobody's turn comes any more. `trusted`: root, who is known from the start. */
  constructor(clock: Clock, ending: AbortSignal, trusted: readonly string[] = []) {
    this.#clock = clock;
    this.#ending = ending;
    this.#ofAll = new Turns({ clock, ending, ...PACE_OF_ALL });
    this.#trusted = new Set(trusted);
  }

  /** True once a password of `who` may be looked at; false where that takes longer than 30 s, or `gone` aborts before. */
  async turn(who: string, gone: AbortSignal): Promise<boolean> {
    const began = this.#clock.monotonicMs();
    if (!(await this.#paceOf(who).take(gone, LONGEST_WAIT_MS))) return false;
    if (this.isKnown(who)) return true;
    return this.#ofAll.take(gone, LONGEST_WAIT_MS - (this.#clock.monotonicMs() - began));
  }

  /** Whether the next password of `who` has to wait for those that he gave himself. */
  isSlow(who: string): boolean {
    return this.#paceOf(who).isUsedUp;
  }

  /** Root, and who gave the right password before. */
  isKnown(who: string): boolean {
    return this.#trusted.has(who) || this.#known.has(who);
  }

  /** The password was right. */
  right(who: string): void {
    this.#paceOf(who).giveBack();
    if (!this.isKnown(who)) this.#ofAll.giveBack();
    this.#known.delete(who);
    this.#known.add(who);
    const [first] = this.#known;
    if (this.#known.size > MAX_REMEMBERED && first !== undefined) this.#known.delete(first);
  }

  #paceOf(who: string): Turns {
    const known = this.#paces.get(who);
    if (known !== undefined) return known;
    if (this.#paces.size >= MAX_REMEMBERED) this.#forget();
    const pace = new Turns({ clock: this.#clock, ending: this.#ending, ...PACE_OF_ONE });
    this.#paces.set(who, pace);
    return pace;
  }

  /** Those at rest; if nobody is, the one that was met first. */
  #forget(): void {
    for (const [who, pace] of this.#paces) if (pace.isAtRest) this.#paces.delete(who);
    const [first] = this.#paces.keys();
    if (this.#paces.size >= MAX_REMEMBERED && first !== undefined) this.#paces.delete(first);
  }
}

const PACE_OF_ONE = { free: 5, intervalMs: 2000 };
const PACE_OF_ALL = { free: 50, intervalMs: 100 };
const LONGEST_WAIT_MS = 30_000;
const MAX_REMEMBERED = 1024;
