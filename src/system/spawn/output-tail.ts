/** The end of a stream of bytes: at most `limit` bytes are kept, however many arrive. */
export class OutputTail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(limit: number = OUTPUT_LIMIT) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    // A short chunk may be a view that keeps a large buffer alive; whole chunks are dropped as soon as the rest is enough.
    this.#chunks.push(chunk.length > this.#limit ? chunk.subarray(-this.#limit) : chunk);
    this.#size += this.#chunks.at(-1)?.length ?? 0;
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= this.#limit) this.#size -= this.#chunks.shift()?.length ?? 0;
    if (this.#chunks.length > MAX_CHUNKS) this.#chunks = [Buffer.concat(this.#chunks)];
  }

  /** The kept bytes as UTF-8; invalid ones become U+FFFD. A character that was cut at the front is left out. */
  text(): string {
    const kept = Buffer.concat(this.#chunks);
    if (kept.length <= this.#limit) return kept.toString('utf8');
    let start = kept.length - this.#limit;
    for (let cut = 0; cut < 3 && isContinuation(kept[start]); cut++) start++;
    return kept.toString('utf8', start);
  }
}

/** How much of a command's output is kept: 64 KiB. */
export const OUTPUT_LIMIT: number = 64 * 1024;

/** A command that writes byte by byte must not create one object for each byte. */
const MAX_CHUNKS = 256;

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
