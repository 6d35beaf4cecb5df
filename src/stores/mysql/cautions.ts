/** Things that work now but may stop working. Each is reported once, and kept for `inspect`. */
export class Cautions {
  readonly #warn: (text: string) => void;
  readonly #reported = new Set<string>();

  /** `warn` gets each caution in one line. */
  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** All reported cautions, in order. */
  get texts(): readonly string[] {
    return [...this.#reported];
  }

  add(text: string): void {
    if (this.#reported.has(text) || this.#reported.size >= MOST) return;
    this.#reported.add(text);
    this.#warn(text);
  }
}

/** A server may send a different text each time. */
const MOST = 20;
