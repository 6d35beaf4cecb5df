// A semaphore with an order of service.
interface Waiting<Rank> {
  readonly rank: Rank | undefined;
  readonly grant: () => void;
}

/** Limits how many run at once; the others wait, first come first served, or by rank. */
export class Slots<Rank = never> {
  readonly #limit: () => number;
  readonly #comesBefore: (one: Rank, other: Rank) => boolean;
  /** In the order in which they are served. */
  readonly #waiting: Waiting<Rank>[] = [];
  #busy = 0;

  /**
   * `limit`: the number of slots; a function is called whenever a slot is wanted or becomes free. `comesBefore`: whether a rank
   * is served before another that came earlier; default: first come first served.
   */
  constructor(limit: number | (() => number), comesBefore: (one: Rank, other: Rank) => boolean = () => false) {
    this.#limit = typeof limit === 'number' ? () => limit : limit;
    this.#comesBefore = comesBefore;
  }

  /**
   * Resolves to true when a slot is available, which `release` returns; to false if none becomes free within `ms` milliseconds
   * (Infinity: no limit), or before `signal` aborts.
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

  /** Returns a slot. */
  release(): void {
    this.#busy--;
    this.#serve();
  }

  /** Grants the free slots; returns who got one. */
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
