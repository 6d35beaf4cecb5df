// How long the worker's own loop was held up.

/** Measures for how long the loop did nothing else because something took long, such as an expression that is matched. */
export class LoopWatch {
  #heldMs = 0;
  #lastMs = performance.now();

  constructor() {
    setInterval(() => this.#look(), STEP_MS).unref();
  }

  /** Milliseconds in all, with what goes on now. */
  heldMs(): number {
    this.#look();
    return this.#heldMs;
  }

  #look(): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.#lastMs - STEP_MS;
    if (lateMs > NOISE_MS) this.#heldMs += lateMs;
    this.#lastMs = nowMs;
  }
}

const STEP_MS = 20;
/** A machine at work is late by that much. */
const NOISE_MS = 10;
