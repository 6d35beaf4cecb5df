/**
 * How many characters of shells' texts may still be read beyond those that stand in a command itself: of variables, and of texts that
 * are given to another shell. A short text can hold very many: `x='…'; eval $x; eval $x`, each of which does so again.
 */
export class ReadingBudget {
  readonly #whole: ReadingBudget | undefined;
  #spare: number;
  #isSpent = false;

  /** `whole`: what is taken is taken from that too: one for all commands of a file. */
  constructor(characters: number, whole?: ReadingBudget) {
    this.#spare = characters;
    this.#whole = whole;
  }

  /** True once something was not read: what has been found is there, but there may be more. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** Whether so much may be read, which is then taken; after a no there is no yes. */
  take(characters: number): boolean {
    if (this.#isSpent || characters > this.#spare || this.#whole?.take(characters) === false) this.#isSpent = true;
    else this.#spare -= characters;
    return !this.#isSpent;
  }

  /** Something was not read for another reason: it stands too deep. */
  giveUp(): void {
    this.#isSpent = true;
  }
}
