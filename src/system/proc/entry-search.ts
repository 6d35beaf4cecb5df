/**
 * Looks for one string of PID/environ, behind a NUL or at the beginning, while the file is read piece by piece: `buffer` is read into from
 * `at` on, `length` bytes at most, and `take` is told how many came. No more than `limit` bytes of the file are looked through.
 */
export class EntrySearch {
  readonly buffer: Buffer;
  readonly #wanted: Buffer;
  #left: number;
  /** The end of the piece before, in which the wanted string may begin; the file's beginning counts as behind a NUL. */
  #kept = 1;
  #found = false;

  constructor(entry: string, limit: number) {
    this.#wanted = Buffer.from(`\0${entry}`);
    this.buffer = Buffer.allocUnsafeSlow(PIECE_BYTES + this.#wanted.length);
    this.buffer[0] = 0;
    this.#left = limit;
  }

  get found(): boolean {
    return this.#found;
  }

  /** False once the answer is known. */
  get goesOn(): boolean {
    return !this.#found && this.#left > 0;
  }

  get at(): number {
    return this.#kept;
  }

  get length(): number {
    return Math.min(PIECE_BYTES, this.#left);
  }

  /** So many bytes came; 0 at the file's end. */
  take(got: number): void {
    const length = this.#kept + got;
    this.#found = this.buffer.subarray(0, length).includes(this.#wanted);
    this.#left = got === 0 ? 0 : this.#left - got;
    this.#kept = Math.min(this.#wanted.length - 1, length);
    this.buffer.copyWithin(0, length - this.#kept, length);
  }
}

const PIECE_BYTES = 64 * 1024;
