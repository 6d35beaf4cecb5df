/** One simple command of a shell's text (`A=b date +%s >>FILE`), with its quotes taken away. */
export interface SimpleCommand {
  /** Its words, variables in front and the shell's own (`then`, `!`, `exec`) included. */
  readonly words: readonly string[];
  /** What its output or input goes to: files, and the word behind `<<<`. */
  readonly targets: readonly string[];
  /** How deep it stands in substitutions (`$( )`, backquotes); 0 for the text's own commands. */
  readonly depth: number;
}

/**
 * The simple commands of a text as bash(1) would find them, those of substitutions before the command that uses them. In a word a
 * substitution is `$()`, and a variable that the text itself has set, or that stands in `environment`, is its value. It is read like a shell reads,
 * but for aliases, here-documents and what `case` and `[[` make of a word; what is left open is closed at the end of the text, and
 * nothing is looked into that is nested more than 20 deep.
 */
export function simpleCommands(text: string, environment: Readonly<Record<string, string>> = {}): SimpleCommand[] {
  const variables = new Map(Object.entries(environment));
  const reader = new Reader(text, { commands: [], variables, spare: 65_536 }, { depth: 0, isClosed: false });
  reader.readList();
  return reader.found.commands;
}

/** What all readers of one text share. */
interface Found {
  readonly commands: SimpleCommand[];
  readonly variables: Map<string, string>;
  /** How many characters may still come from variables: each may hold others. */
  spare: number;
}

class Reader {
  readonly found: Found;
  readonly #text: string;
  readonly #depth: number;
  /** A `)` ends it. */
  readonly #isClosed: boolean;
  #at: number;

  constructor(text: string, found: Found, how: { readonly depth: number; readonly isClosed: boolean }, at = 0) {
    this.#text = text;
    this.found = found;
    this.#depth = how.depth;
    this.#isClosed = how.isClosed;
    this.#at = at;
  }

  /** Reads commands up to the `)` that closes them, or to the end; where it has stopped. */
  readList(): number {
    let words: string[] = [];
    let targets: string[] = [];
    let open = 0;
    const finish = (): void => {
      if (words.length > 0 || targets.length > 0) this.#add(words, targets);
      words = [];
      targets = [];
    };
    while (this.#at < this.#text.length) {
      const redirection = this.#match(/(?:&>>?|\d*(?:<<<|<<-?|<>|>>|>\||[<>]&|[<>]))(?!\()/y);
      if (redirection !== undefined) {
        this.#match(BLANKS);
        const target = this.#word();
        // What a here-document is closed by is no file.
        if (!/^\d*<<-?$/.test(redirection)) targets.push(target);
        continue;
      }
      const character = this.#text[this.#at] ?? '';
      if (this.#match(BLANKS) !== undefined || this.#match(/\\\n/y) !== undefined || this.#match(/#[^\n]*/y) !== undefined)
        continue;
      if (';&|\n'.includes(character)) {
        this.#at++;
        finish();
      } else if (character === '(') {
        this.#at++;
        open++;
        finish();
      } else if (character === ')') {
        this.#at++;
        finish();
        // Else it closes a pattern of `case`, or nothing.
        if (open === 0 && this.#isClosed) return this.#at;
        open = Math.max(0, open - 1);
      } else {
        words.push(this.#word());
      }
    }
    finish();
    return this.#at;
  }

  #add(words: readonly string[], targets: readonly string[]): void {
    this.found.commands.push({ words, targets, depth: this.#depth });
    for (const word of words) {
      const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? [];
      if (name !== undefined && value !== undefined) this.found.variables.set(name, value);
      else if (!/^(?:export|readonly|local|declare|typeset|-\w+)$/.test(word)) break;
    }
  }

  /** Of a variable that the text has set. */
  #value(name: string): string | undefined {
    const value = this.found.variables.get(name);
    if (value === undefined || value.length > this.found.spare) return undefined;
    this.found.spare -= value.length;
    return value;
  }

  #word(): string {
    let word = '';
    for (;;) {
      const plain = this.#match(/[^ \t\n;&|()<>\\'"$`]+/y);
      if (plain !== undefined) word += plain;
      else if (this.#match(/\\\n/y) !== undefined) word += '';
      else if (this.#text[this.#at] === '\\') word += this.#escaped();
      else if (this.#text[this.#at] === "'") word += this.#until(/'([^']*)(?:'|$)/y);
      else if (this.#text.startsWith("$'", this.#at)) word += unescaped(this.#until(/\$'([^'\\]*(?:\\.[^'\\]*)*)(?:'|\\?$)/sy));
      else if (this.#match(/\$?"/y) !== undefined) word += this.#doubleQuoted('"');
      else if (this.#match(/[<>]\(/y) !== undefined) word += this.#substitution();
      else {
        const expansion = this.#expansion();
        if (expansion === undefined) return word;
        word += expansion;
      }
    }
  }

  /** Up to the closing `end`, which is passed; in it only `$`, backquotes and some escapes mean anything. */
  #doubleQuoted(end: '"' | '}'): string {
    let text = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? '';
      if (character === end) {
        this.#at++;
        return text;
      }
      if (character === '\\' && (end === '}' || /[$`"\\\n]/.test(this.#text[this.#at + 1] ?? ''))) text += this.#escaped();
      else if (end === '}' && character === "'") text += this.#until(/'([^']*)(?:'|$)/y);
      else if (end === '}' && character === '"') {
        this.#at++;
        text += this.#doubleQuoted('"');
      } else {
        const expansion = this.#expansion();
        text += expansion ?? character;
        if (expansion === undefined) this.#at++;
      }
    }
    return text;
  }

  /** What begins with `$` or a backquote; undefined if nothing does. */
  #expansion(): string | undefined {
    if (this.#match(/\$\(/y) !== undefined) return this.#substitution();
    if (this.#match(/\$\{/y) !== undefined) return this.#parameter();
    const name = this.#match(/\$[A-Za-z_]\w*/y);
    if (name !== undefined) return this.#value(name.slice(1)) ?? name;
    if (this.#text[this.#at] === '`') {
      const inner = this.#until(/`([^`\\]*(?:\\.[^`\\]*)*)(?:`|\\?$)/sy).replace(/\\([$`\\])/g, '$1');
      if (this.#depth < DEEPEST) new Reader(inner, this.found, { depth: this.#depth + 1, isClosed: false }).readList();
      return '$()';
    }
    if (this.#text[this.#at] !== '$') return undefined;
    this.#at++;
    return '$';
  }

  /** Behind `$(`. */
  #substitution(): string {
    if (this.#depth >= DEEPEST) this.#at = this.#text.length;
    else this.#at = this.#within().readList();
    return '$()';
  }

  /** Behind `${`. */
  #parameter(): string {
    if (this.#depth >= DEEPEST) {
      this.#at = this.#text.length;
      return '';
    }
    const inner = this.#within();
    const text = inner.#doubleQuoted('}');
    this.#at = inner.#at;
    return this.#value(text) ?? `\${${text}}`;
  }

  /** A reader of what begins here. */
  #within(): Reader {
    return new Reader(this.#text, this.found, { depth: this.#depth + 1, isClosed: true }, this.#at);
  }

  #escaped(): string {
    const character = this.#text[this.#at + 1] ?? '';
    this.#at += 2;
    return character === '\n' ? '' : character;
  }

  #until(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    this.#at = found === null ? this.#text.length : pattern.lastIndex;
    return found?.[1] ?? '';
  }

  /** What stands here, if it matches; then it is passed. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[0];
  }
}

const DEEPEST = 20;
const BLANKS = /[ \t]+/y;

/** Of `$'…'` the escapes that matter for what a word says. */
function unescaped(text: string): string {
  return text.replace(/\\(['"\\?])/g, '$1');
}
