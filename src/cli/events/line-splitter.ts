/** Cuts a stream of text into lines; a line may come in any number of pieces. Blank lines are left out. */
export class LineSplitter {
  readonly #longest: number;
  #pieces: string[] = [];
  #length = 0;
  #skipped = 0;

  /** A line of more than `longest` UTF-16 units is skipped, and takes no memory. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The lines that `text` ends, without their ends. */
  push(text: string): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#keep(text.slice(start, end));
      this.#close(lines);
      start = end + 1;
    }
    this.#keep(text.slice(start));
    return lines;
  }

  /** The text after the last line end, as a line. */
  end(): string[] {
    const lines: string[] = [];
    this.#close(lines);
    return lines;
  }

  /** How many lines were skipped since the last call. */
  takeSkipped(): number {
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }

  #keep(piece: string): void {
    this.#length += piece.length;
    if (this.#length > this.#longest) this.#pieces = [];
    else if (piece !== '') this.#pieces.push(piece);
  }

  #close(lines: string[]): void {
    const line = this.#pieces.join('').trim();
    if (this.#length > this.#longest) this.#skipped += 1;
    else if (line !== '') lines.push(line);
    this.#pieces = [];
    this.#length = 0;
  }
}
