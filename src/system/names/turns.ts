/** How many may be at work at once, and how long each is left alone. */
interface TurnsOptions {
  readonly size: number;
  /** Milliseconds after which one that is at work gives way to one that waits; twice as many at each further turn of it. */
  readonly sliceMs: number;
}

/** One piece of work that is to be done: waiting, or at work. */
interface Turn {
  readonly name: string;
  /** Its abort: nobody wants it any more. */
  readonly signal: AbortSignal;
  /** True once it has its answer, or nobody wants one. */
  readonly work: (leave: AbortSignal) => Promise<boolean>;
  sliceMs: number;
  startedMs: number;
  /** Its abort makes it give way; undefined while it waits. */
  leave: AbortController | undefined;
}

/**
 * A few places for work that may take for ever, so divided that what never ends keeps nobody waiting: who has had his time gives way
 * to one that waits and begins again later, with more time. Names whose work came to nothing in its time are last in the queue, and
 * give way to others at once.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #working = new Set<Turn>();
  #waiting: Turn[] = [];
  /** Names that used up their time for nothing, the oldest first. */
  readonly #doubtful = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /**
   * What `work` comes to, once it has a place; undefined where `signal` aborts before. `work` gets a signal of its own, at whose abort
   * it ends and returns undefined: it may be begun again. Its place is taken until it has ended. Never rejects, nor may `work`.
   */
  run<T>(name: string, work: (signal: AbortSignal) => Promise<T | undefined>, signal: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== turn);
        this.#remember(turn, false);
        resolve(undefined);
      };
      const turn: Turn = {
        name,
        signal,
        sliceMs: this.#options.sliceMs,
        startedMs: 0,
        leave: undefined,
        work: async (leave) => {
          const result = await work(AbortSignal.any([signal, leave]));
          if (signal.aborted) return true;
          if (result === undefined && leave.aborted) return false;
          signal.removeEventListener('abort', giveUp);
          this.#remember(turn, result !== undefined);
          resolve(result);
          return true;
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) return giveUp();
      this.#waiting.push(turn);
      this.#divide();
    });
  }

  /** Gives free places to those who wait, and has one give way for each that waits on where its time is over. */
  #divide(): void {
    clearTimeout(this.#timer);
    while (this.#working.size < this.#options.size && this.#waiting.length > 0) this.#begin(this.#queue()[0]);
    const nowMs = performance.now();
    const [next, ...others] = this.#queue().slice([...this.#working].filter(isLeaving).length);
    if (next === undefined) return;
    const staying = [...this.#working].filter((turn) => !isLeaving(turn) && this.#rank(turn) >= this.#rank(next));
    const leftMs = (turn: Turn): number =>
      this.#rank(turn) > this.#rank(next) ? 0 : Math.max(turn.startedMs + turn.sliceMs - nowMs, 0);
    const [first] = staying.sort((a, b) => leftMs(a) - leftMs(b));
    if (first === undefined) return;
    if (leftMs(first) > 0) {
      this.#timer = setTimeout(() => this.#divide(), leftMs(first) + 1);
    } else {
      first.leave?.abort('its time is over');
      if (others.length > 0) this.#divide();
    }
  }

  #begin(turn: Turn | undefined): void {
    if (turn === undefined) return;
    this.#waiting = this.#waiting.filter((other) => other !== turn);
    this.#working.add(turn);
    turn.startedMs = performance.now();
    turn.leave = new AbortController();
    void turn.work(turn.leave.signal).then((isDone) => {
      this.#working.delete(turn);
      turn.leave = undefined;
      // It may have been given up since it gave way.
      if (!isDone && !turn.signal.aborted) {
        turn.sliceMs *= 2;
        this.#waiting.push(turn);
      }
      this.#divide();
    });
  }

  /** Those who wait, the next one first. */
  #queue(): Turn[] {
    return this.#waiting.toSorted((a, b) => this.#rank(a) - this.#rank(b));
  }

  #rank({ name }: Turn): number {
    return this.#doubtful.has(name) ? 1 : 0;
  }

  /** One that was given up early, or before it had a place, has shown nothing. */
  #remember({ name, startedMs, sliceMs, leave }: Turn, hasResult: boolean): void {
    const usualMs = this.#options.sliceMs;
    const hadItsTime = sliceMs > usualMs || (leave !== undefined && performance.now() - startedMs >= usualMs);
    if (hasResult) this.#doubtful.delete(name);
    if (hasResult || !hadItsTime) return;
    this.#doubtful.delete(name);
    this.#doubtful.add(name);
    for (const oldest of this.#doubtful) if (this.#doubtful.size > MOST_REMEMBERED) this.#doubtful.delete(oldest);
  }
}

const MOST_REMEMBERED = 1000;

function isLeaving({ leave }: Turn): boolean {
  return leave?.signal.aborted === true;
}
