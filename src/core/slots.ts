interface Waiting<Rank> {
  readonly rank: Rank | undefined;
  readonly grant: () => void;
}

/** At most so many at once; the others wait their turn: first come first served, or by rank. */
export class Slots<Rank = never> {
  readonly #limit: () => number;
  readonly #comesBefore: (one: Rank, other: Rank) => boolean;
  /** In the order in which they are served. */
  readonly #waiting: Waiting<Rank>[] = [];
  #busy = 0;

  /**
   * `limit`: how many there are; a function is asked whenever one is wanted or falls free. `comesBefore`: whether a rank is served before another that
   * came earlier; first come first served unless given.
   */
  constructor(limit: number | (() => number), comesBefore: (one: Rank, other: Rank) => boolean = () => false) {
    this.#limit = typeof limit === 'number' ? () => limit : limit;
    this.#comesBefore = comesBefore;
  }

  /**
   * Resolves to true once a slot is ours, which `release` gives back; to false if none fell free within `ms` milliseconds (Infinity: it
   * waits for ever), or before `signal` aborted.
   */
  take(ms: number, signal?: AbortSignal, rank?: Rank): Promise<boolean> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (isOurs: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        resolve(isOurs);
      };
      const waiting: Waiting<Rank> = { rank, grant: () => end(true) };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        end(false);
      };
      this.#insert(waiting);
      if (this.#serve().includes(waiting)) return;
      if (Number.isFinite(ms)) timer = setTimeout(giveUp, ms);
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted) giveUp();
    });
  }

  /** Hands a slot on. */
  release(): void {
    this.#busy--;
    this.#serve();
  }

  /** Grants what is free; who got it. */
  #serve(): readonly Waiting<Rank>[] {
    const free = Math.max(this.#limit() - this.#busy, 0);
    const served = this.#waiting.splice(0, free);
    this.#busy += served.length;
    for (const { grant } of served) grant();
    return served;
  }

  #insert(waiting: Waiting<Rank>): void {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#waiting[middle];
      if (other !== undefined && this.#isBefore(waiting, other)) high = middle;
      else low = middle + 1;
    }
    this.#waiting.splice(low, 0, waiting);
  }

  #isBefore({ rank }: Waiting<Rank>, other: Waiting<Rank>): boolean {
    return rank !== undefined && other.rank !== undefined && this.#comesBefore(rank, other.rank);
  }
}
