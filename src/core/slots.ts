/** At most `size` calls at once; the others wait their turn, first come first served. */
export class Slots {
  #free: number;
  #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  /**
   * Resolves to true once a slot is ours, which `release` gives back; to false where none came free within `ms` milliseconds, or
   * before `signal` aborted.
   */
  take(ms: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const end = (isOurs: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        resolve(isOurs);
      };
      const turn = (): void => end(true);
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== turn);
        end(false);
      };
      const timer = setTimeout(giveUp, ms);
      this.#waiting.push(turn);
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted) giveUp();
    });
  }

  /** Hands a slot on. */
  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
