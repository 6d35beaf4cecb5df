/** At most `size` calls at once; the others wait their turn, first come first served. */
export class CallSlots {
  #free: number;
  #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  /** Resolves to true once a slot is ours, which `release` gives back; to false where none came free within `ms` milliseconds. */
  take(ms: number): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const turn = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== turn);
        resolve(false);
      }, ms);
      this.#waiting.push(turn);
    });
  }

  /** Hands a slot on. */
  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
