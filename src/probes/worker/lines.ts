/** Cuts a stream of bytes into lines; a line may come in any number of pieces. */
export class BoundedLines {
  readonly #longest: number;
  #pieces: Buffer[] = [];
  #length = 0;

  /** `longest`: the most bytes of a line, without its end. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The lines that `bytes` ends, without their ends; undefined once one is too long, and then nothing is kept. */
  push(bytes: Buffer): string[] | undefined {
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
      if (!this.#keep(bytes.subarray(start, end))) return undefined;
      lines.push(Buffer.concat(this.#pieces, this.#length).toString('utf8'));
      this.#drop();
      start = end + 1;
    }
    return this.#keep(bytes.subarray(start)) ? lines : undefined;
  }

  #keep(piece: Buffer): boolean {
    this.#length += piece.length;
    if (piece.length > 0) this.#pieces.push(piece);
    const fits = this.#length <= this.#longest;
    if (!fits) this.#drop();
    return fits;
  }

  #drop(): void {
    this.#pieces = [];
    this.#length = 0;
  }
}

const LINE_END = '\n'.charCodeAt(0);
