// Shares a few places among work that may never end.

/** How many turns may run at once, and how long each runs undisturbed. */
interface TurnsOptions {
  readonly size: number;
  /** Milliseconds after which a running turn yields to a waiting one; doubled at each further try. */
  readonly sliceMs: number;
}

/** One piece of work: waiting or running. */
interface Turn {
  readonly name: string;
  /** Aborts when nobody wants the result any more. */
  readonly signal: AbortSignal;
  /** Resolves to true when it has its answer, or when nobody wants one. */
  readonly work: (leave: AbortSignal) => Promise<boolean>;
  sliceMs: number;
  startedMs: number;
  /** Its abort makes the work yield; undefined while it waits. */
  leave: AbortController | undefined;
}

/**
 * A few places for work that may never end, shared so that such work delays nobody: a turn that has used up its time yields to
 * a waiting one and begins again later, with more time. Names whose work had no result in its time come last in the queue, and
 * yield to others at once.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #working = new Set<Turn>();
  #waiting: Turn[] = [];
  /** Names that used up their time without a result, the oldest first. */
  readonly #doubtful = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /**
   * Returns the result of `work`, which runs when it has a place; undefined if `signal` aborts before. `work` gets a signal of
   * its own. When that aborts, it must end and return undefined; it may be started again. It keeps its place until it has
   * ended. Never rejects, nor may `work`.
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

  /** Gives free places to waiting turns. For each that still waits, makes one yield whose time is over. */
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
      // It may have been given up since it yielded.
      if (!isDone && !turn.signal.aborted) {
        turn.sliceMs *= 2;
        this.#waiting.push(turn);
      }
      this.#divide();
    });
  }

  /** The waiting turns, the next one first. */
  #queue(): Turn[] {
    return this.#waiting.toSorted((a, b) => this.#rank(a) - this.#rank(b));
  }

  #rank({ name }: Turn): number {
    return this.#doubtful.has(name) ? 1 : 0;
  }

  /** Work that was given up early, or before it had a place, shows nothing about its name. */
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
