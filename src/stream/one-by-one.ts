import type { Writable } from 'node:stream';
import type { Clock } from '../core/clock.ts';

/** What a writer of single lines is given. */
interface OneByOneOptions {
  readonly out: Writable;
  readonly clock: Clock;
  /** Bytes that wait: the more, the shorter the pauses are, and above a bound lines go together, or it would become ever more. */
  readonly waiting: () => number;
}

/**
 * Writes lines each on its own, with a pause between them, so that each comes to the other side by itself: procMonitor's client takes
 * whatever one read gives for one event. Source: seed 002.
 */
export class OneByOne {
  readonly #options: OneByOneOptions;
  readonly #gone = new AbortController();
  #isOn = true;
  #nextAtMs: number;

  /** The first line has to wait too: something else may just have been written. */
  constructor(options: OneByOneOptions) {
    this.#options = options;
    this.#nextAtMs = options.clock.monotonicMs() + LONGEST_MS;
    options.out.once('close', () => this.#gone.abort());
  }

  /** From now on lines go as they come: the other side knows where they end. */
  turnOff(): void {
    this.#isOn = false;
  }

  /** Writes whole lines; `done` as that of a Writable. */
  write(lines: Buffer, done: (error?: Error | null) => void): void {
    if (this.#mayGoTogether) this.#options.out.write(lines, done);
    else void this.#writeEach(lines, done);
  }

  get #mayGoTogether(): boolean {
    return !this.#isOn || this.#options.waiting() > FAR_BEHIND;
  }

  get #pauseMs(): number {
    const waiting = this.#options.waiting();
    return PAUSES.find(({ above }) => waiting > above)?.ms ?? LONGEST_MS;
  }

  async #writeEach(lines: Buffer, done: (error?: Error | null) => void): Promise<void> {
    const { out, clock } = this.#options;
    let rest = lines;
    while (rest.length > 0 && !this.#mayGoTogether) {
      const waitMs = this.#nextAtMs - clock.monotonicMs();
      if (waitMs > 0) await clock.sleep(waitMs, this.#gone.signal);
      if (this.#gone.signal.aborted) return;
      const end = rest.indexOf(LINE_FEED) + 1 || rest.length;
      const line = rest.subarray(0, end);
      rest = rest.subarray(end);
      const fault = await new Promise<Error | null | undefined>((resolve) => void out.write(line, resolve));
      if (fault) return done(fault);
      this.#nextAtMs = clock.monotonicMs() + this.#pauseMs;
    }
    if (rest.length > 0) out.write(rest, done);
    else done();
  }
}

/** In this time a client that is alive has read and told a line, on a busy machine too. */
const LONGEST_MS = 10;
/** Milliseconds, by the bytes that wait: a line has some 150. */
const PAUSES = [
  { above: 64 * 1024, ms: 1 },
  { above: 4 * 1024, ms: 3 },
] as const;
const FAR_BEHIND = 256 * 1024;
const LINE_FEED = 0x0a;
