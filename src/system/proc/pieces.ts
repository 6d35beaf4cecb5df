// Reads a file of any length piece by piece, with little memory.
/**
 * Reads a file piece by piece: at most `length` bytes, from `position` on, are read into `buffer` at `at`, then `take` is
 * called.
 */
export interface PieceReader<T> {
  readonly buffer: Buffer;
  readonly at: number;
  readonly length: number;
  readonly position: number;
  /** False once the answer is known. */
  readonly goesOn: boolean;
  readonly answer: T;
  /** Called with the number of bytes that were read; 0 at the file's end. */
  take(got: number): void;
}

/**
 * Begins to read a file; the reader may use `piece`, of PIECE_BYTES, until it has its answer, which must contain nothing of it.
 */
export type BeginPieces<T> = (piece: Buffer) => PieceReader<T>;

/** The bytes that are read at once. */
export const PIECE_BYTES = 128 * 1024;

/**
 * A buffer for one reader, which must be returned by `giveBack`: reading thousands of processes, each with as much data as it
 * likes, must not leave as much garbage.
 */
export function takePiece(): Buffer {
  return idle.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
}

/** Returns a buffer, for the next reader. */
export function giveBack(piece: Buffer): void {
  idle.push(piece);
}

/** Unused buffers, as many as there ever were readers at once: pool-files.ts limits them. */
const idle: Buffer[] = [];

/**
 * Reads a whole file into its own buffer; `longer` if it has more than `limit` bytes, of which nothing is kept: what is too
 * long is only counted.
 */
export function wholeFile(limit: number): BeginPieces<Buffer | 'longer'> {
  return (piece) => new WholeFile(limit, piece);
}

class WholeFile implements PieceReader<Buffer | 'longer'> {
  buffer: Buffer;
  at = 0;
  position = 0;
  goesOn = true;
  readonly #limit: number;
  #whole: Buffer | undefined;

  constructor(limit: number, piece: Buffer) {
    this.#limit = limit;
    this.buffer = piece;
  }

  get answer(): Buffer | 'longer' {
    return this.#whole ?? 'longer';
  }

  get length(): number {
    const left = this.#whole === undefined ? this.#limit + 1 : this.#whole.length;
    return Math.min(this.buffer.length - this.at, left - this.position);
  }

  take(got: number): void {
    this.position += got;
    if (this.#whole !== undefined) {
      this.at = this.position;
      this.goesOn = got > 0 && this.position < this.#whole.length;
      // The file has become shorter meanwhile.
      if (got === 0) this.#whole = this.#whole.subarray(0, this.position);
    } else if (this.position > this.#limit) {
      this.goesOn = false;
    } else if (got > 0) {
      // If it fits into the piece it need not be read twice.
      if (this.position < this.buffer.length) this.at = this.position;
      else this.at = 0;
    } else {
      const isHere = this.position < this.buffer.length;
      this.#whole = isHere ? Buffer.from(this.buffer.subarray(0, this.position)) : Buffer.allocUnsafeSlow(this.position);
      this.goesOn = !isHere;
      if (isHere) return;
      [this.buffer, this.at, this.position] = [this.#whole, 0, 0];
    }
  }
}

/** Compares a file: whether it contains exactly these bytes. */
export function sameBytes(expected: Buffer): BeginPieces<boolean> {
  return (piece) => new SameBytes(expected, piece);
}

class SameBytes implements PieceReader<boolean> {
  readonly buffer: Buffer;
  readonly at = 0;
  position = 0;
  goesOn = true;
  answer = false;
  readonly #expected: Buffer;

  constructor(expected: Buffer, piece: Buffer) {
    this.#expected = expected;
    this.buffer = piece;
  }

  get length(): number {
    return this.buffer.length;
  }

  take(got: number): void {
    const isSame = this.buffer.subarray(0, got).equals(this.#expected.subarray(this.position, this.position + got));
    this.position += got;
    this.goesOn = isSame && got > 0;
    this.answer = isSame && this.position === this.#expected.length;
  }
}
