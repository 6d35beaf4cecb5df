// Writes lines one at a time, as procMonitor's clients expect.

import type { Writable } from 'node:stream';
import type { Clock } from '../core/clock.ts';

/** What a writer of single lines needs. */
interface OneByOneOptions {
  readonly out: Writable;
  readonly clock: Clock;
  /**
   * The number of waiting bytes: the more wait, the shorter the pauses are, and above a limit lines are sent together, or the
   * backlog would grow.
   */
  readonly waiting: () => number;
}

/**
 * Writes each line on its own, with a pause between them, so that each arrives in a read of its own: procMonitor's client takes
 * the result of one read for one event. Source: the procMonitor protocol.
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

  /** From now on lines are written without pauses: the other side recognises their ends. */
  turnOff(): void {
    this.#isOn = false;
  }

  /** Writes whole lines; `done` as for a Writable. */
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

/** In this time a live client has read and shown a line, even on a busy machine. */
const LONGEST_MS = 10;
/** Milliseconds, by the number of waiting bytes: a line has some 150. */
const PAUSES = [
  { above: 64 * 1024, ms: 1 },
  { above: 4 * 1024, ms: 3 },
] as const;
const FAR_BEHIND = 256 * 1024;
const LINE_FEED = 0x0a;
