/** What works and may not for long: told once each, and kept for whoever asks what is wrong with the store. */
export class Cautions {
  readonly #tell: (text: string) => void;
  readonly #told = new Set<string>();

  /** `tell` hears each in one line. */
  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** All that were told, in order. */
  get texts(): readonly string[] {
    return [...this.#told];
  }

  add(text: string): void {
    if (this.#told.has(text) || this.#told.size >= MOST) return;
    this.#told.add(text);
    this.#tell(text);
  }
}

/** A server may say something new each time. */
const MOST = 20;
