// Reads words as bash does.
import { Cursor } from './cursor.ts';
import type { Surroundings } from './surroundings.ts';

/** The result of reading a substitution. */
export interface ReadSubstitution {
  /** The position at which it stopped. */
  readonly at: number;
  /** The program whose path it asks for, if it does nothing else: `$(which date)`. */
  readonly program?: string | undefined;
}

/** Reads words as bash(1) does and removes their quotes; `readInner` reads the commands in them. */
export abstract class WordReader extends Cursor {
  protected readonly surroundings: Surroundings;
  /** How deeply it is nested in substitutions. */
  protected depth: number;
  /** Whether the last word has a value that does not depend on the shell: no variable, no pattern, no substitution. */
  protected isLiteral = true;
  /** Whether no part of the last word is quoted: only then can it be a word of the shell itself. */
  protected isBare = true;
  /**
   * Whether, since this was set to false, something in the words runs first (`$( )`), may end the shell (`${x:?}`), or is left
   * open.
   */
  protected isOpen = false;

  constructor(text: string, surroundings: Surroundings, depth: number, at: number) {
    super(text, at);
    this.surroundings = surroundings;
    this.depth = depth;
  }

  /** Reads the commands of a substitution that begins at `at` of `text`, and ends there or with a `)`. */
  protected abstract readInner(text: string, isClosed: boolean, at: number): ReadSubstitution;

  /** The next word; '' if none begins here. */
  protected word(): string {
    let word = '';
    this.isLiteral = true;
    this.isBare = true;
    for (;;) {
      const plain = this.match(PLAIN);
      if (plain !== undefined) {
        word += plain;
        if (PATTERN.test(plain)) this.isLiteral = false;
        continue;
      }
      const from = this.at;
      const character = this.text[from];
      if (character === '\\' || character === "'" || character === '"' || character === '$' || character === '`')
        this.isBare = false;
      if (character === '\\') word += this.#escaped();
      else if (character === "'") word += this.#singleQuoted();
      else if (this.text.startsWith("$'", this.at)) {
        const inner = this.until(ANSI_QUOTED);
        word += unescaped(inner);
        this.#isUnsure();
        if (this.at - from < inner.length + 3) this.#isUnclosed("'");
      } else if ((character === '"' || character === '$') && this.match(QUOTE) !== undefined) word += this.#doubleQuoted('"');
      else if (this.match(PROCESS) !== undefined) word += this.#substitution();
      else {
        const expansion = this.#expansion();
        if (expansion === undefined) return word;
        word += expansion;
      }
    }
  }

  #isUnsure(): void {
    this.isLiteral = false;
    this.isOpen = true;
  }

  #isUnclosed(end: string): void {
    this.surroundings.notes.unclosed ??= end;
    this.#isUnsure();
  }

  /** Reads up to the closing `end` and past it; inside, only `$`, backquotes and some escapes have a meaning. */
  #doubleQuoted(end: '"' | '}'): string {
    let text = '';
    while (this.at < this.text.length) {
      const character = this.text[this.at] ?? '';
      if (character === end) {
        this.at++;
        return text;
      }
      if (character === '\\' && (end === '}' || ESCAPABLE.test(this.text[this.at + 1] ?? ''))) text += this.#escaped();
      else if (end === '}' && character === "'") {
        // In double quotes it is sometimes an ordinary character.
        this.surroundings.notes.isDoubtful = true;
        text += this.#singleQuoted();
      } else if (end === '}' && character === '"') {
        this.at++;
        text += this.#doubleQuoted('"');
      } else {
        const expansion = this.#expansion();
        text += expansion ?? character;
        if (expansion === undefined) this.at++;
      }
    }
    this.#isUnclosed(end);
    return text;
  }

  #singleQuoted(): string {
    const from = this.at;
    const inner = this.until(SINGLE_QUOTED);
    if (this.at - from < inner.length + 2) this.#isUnclosed("'");
    return inner;
  }

  /** What begins with `$` or a backquote; undefined if nothing does. */
  #expansion(): string | undefined {
    const character = this.text[this.at];
    if (character !== '$' && character !== '`') return undefined;
    if (this.match(COMMANDS) !== undefined) return this.#substitution();
    if (this.match(PARAMETER) !== undefined) return this.#parameter();
    const name = this.match(VARIABLE);
    if (name !== undefined) {
      this.isLiteral = false;
      return this.#value(name.slice(1)) ?? name;
    }
    const special = this.match(SPECIAL);
    if (special !== undefined) {
      this.isLiteral = false;
      return special;
    }
    if (character === '`') {
      const from = this.at;
      const whole = this.until(BACKQUOTED);
      if (this.at - from < whole.length + 2) this.#isUnclosed('`');
      const inner = whole.replace(/\\([$`\\])/g, '$1');
      const program = this.#goesDeeper(inner.length) ? this.readInner(inner, false, 0).program : undefined;
      this.#isUnsure();
      return program ?? '$()';
    }
    this.at++;
    this.isLiteral = false;
    return '$';
  }

  /** Reads on after `$(`. */
  #substitution(): string {
    const { at, program } = this.#goesDeeper() ? this.readInner(this.text, true, this.at) : { at: this.text.length };
    this.at = at;
    this.#isUnsure();
    return program ?? '$()';
  }

  /** Reads on after `${`. */
  #parameter(): string {
    this.#isUnsure();
    if (!this.#goesDeeper()) {
      this.at = this.text.length;
      return '';
    }
    this.depth++;
    const text = this.#doubleQuoted('}');
    this.depth--;
    return this.#value(text) ?? `\${${text}}`;
  }

  /** Whether nested text is read here; `again`: how many characters are read once more. */
  #goesDeeper(again = 0): boolean {
    if (this.depth >= DEEPEST) this.surroundings.budget.giveUp();
    return this.surroundings.budget.take(again + PER_NESTED);
  }

  /** The value of a variable that the text has set. */
  #value(name: string): string | undefined {
    const value = this.surroundings.variables.get(name);
    return value !== undefined && this.surroundings.budget.take(value.length) ? value : undefined;
  }

  #escaped(): string {
    const character = this.text[this.at + 1];
    this.at += 2;
    if (character === undefined) this.#isUnsure();
    return character === undefined || character === '\n' ? '' : character;
  }
}

const DEEPEST = 20;
/** The price of beginning to read something nested, in characters. */
const PER_NESTED = 8;

// One object each, because there are very many words.
const PLAIN = /[^ \t\n;&|()<>\\'"$`]+/y;
const PATTERN = /[*?[\]{}~!]/;
const ANSI_QUOTED = /\$'([^'\\]*(?:\\.[^'\\]*)*)(?:'|\\?$)/sy;
const PROCESS = /[<>]\(/y;
const SINGLE_QUOTED = /'([^']*)(?:'|$)/y;
const COMMANDS = /\$\(/y;
const PARAMETER = /\$\{/y;
const SPECIAL = /\$[\d$?!#@*-]/y;
const VARIABLE = /\$[A-Za-z_]\w*/y;
const BACKQUOTED = /`([^`\\]*(?:\\.[^`\\]*)*)(?:`|\\?$)/sy;
const QUOTE = /\$?"/y;
const ESCAPABLE = /[$`"\\\n]/;

/** Resolves the escapes of `$'…'` that matter for the value of a word. */
function unescaped(text: string): string {
  return text.replace(/\\(['"\\?])/g, '$1');
}
