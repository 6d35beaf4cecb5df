import type { BeginPieces, PieceReader } from './pieces.ts';

/**
 * Searches PID/environ or PID/cmdline for one string, among the first `limit` bytes: a whole string if `entry` ends in a NUL,
 * else the beginning of one.
 */
export function entrySearch(entry: string, limit: number): BeginPieces<boolean> {
  return (piece) => new EntrySearch(entry, limit, piece);
}

class EntrySearch implements PieceReader<boolean> {
  readonly buffer: Buffer;
  readonly #wanted: Buffer;
  readonly #limit: number;
  /**
   * How much of the previous piece is kept, because the wanted string may begin in it; the file's beginning counts as following
   * a NUL.
   */
  at = 1;
  position = 0;
  goesOn = true;
  answer = false;

  constructor(entry: string, limit: number, piece: Buffer) {
    this.#wanted = Buffer.from(`\0${entry}`);
    this.#limit = limit;
    const isLong = this.#wanted.length > piece.length / 2;
    this.buffer = isLong ? Buffer.allocUnsafeSlow(piece.length + this.#wanted.length) : piece;
    this.buffer[0] = 0;
  }

  get length(): number {
    return Math.min(this.buffer.length - this.at, this.#limit - this.position);
  }

  take(got: number): void {
    this.position += got;
    // The NUL of the last string may be missing.
    if (got === 0) this.buffer[this.at] = 0;
    const length = this.at + (got || 1);
    this.answer = this.buffer.subarray(0, length).includes(this.#wanted);
    this.goesOn = !this.answer && got > 0 && this.position < this.#limit;
    this.at = Math.min(this.#wanted.length - 1, length);
    this.buffer.copyWithin(0, length - this.at, length);
  }
}
