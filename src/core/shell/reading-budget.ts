/**
 * How many characters of shell texts may still be read in addition to a command's own text: of variables, and of texts that are
 * given to another shell. A short text can expand to very many: `x='…'; eval $x; eval $x`, each of which does so again.
 */
export class ReadingBudget {
  readonly #whole: ReadingBudget | undefined;
  #spare: number;
  #isSpent = false;

  /** `whole`: a budget that is also charged: one for all commands of a file. */
  constructor(characters: number, whole?: ReadingBudget) {
    this.#spare = characters;
    this.#whole = whole;
  }

  /** True once something was not read: what was found is valid, but there may be more. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** Whether this many characters may be read, which are then charged. Once it returns false it never returns true again. */
  take(characters: number): boolean {
    if (this.#isSpent || characters > this.#spare || this.#whole?.take(characters) === false) this.#isSpent = true;
    else this.#spare -= characters;
    return !this.#isSpent;
  }

  /** Something was not read for another reason: it is nested too deeply. */
  giveUp(): void {
    this.#isSpent = true;
  }
}
