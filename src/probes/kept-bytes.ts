// The beginning of a body that comes in pieces.
/** The first bytes of what comes in pieces, copied: each piece would keep the whole that it was received with. */
export class KeptBytes {
  readonly #most: number;
  #buffer = Buffer.alloc(0);
  #length = 0;

  /** `most`: how many bytes are kept. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Returns false if not all of it is kept. */
  add(chunk: Buffer): boolean {
    const part = chunk.subarray(0, this.#most - this.#length);
    const needed = this.#length + part.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.alloc(Math.min(Math.max(needed, 2 * this.#buffer.length, FIRST_SIZE), this.#most));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    part.copy(this.#buffer, this.#length);
    this.#length = needed;
    return part.length === chunk.length;
  }

  get isFull(): boolean {
    return this.#length === this.#most;
  }

  /** What is kept so far. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}

const FIRST_SIZE = 4096;
