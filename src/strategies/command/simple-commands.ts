/** A word of a shell's text; undefined if only the shell can tell what it comes to (a variable, a pattern, a substitution). */
export type ShellWord = string | undefined;

/** One simple command, and what stands behind it. */
export interface SimpleCommand {
  readonly words: readonly ShellWord[];
  /** `;` also for a line's end, `&` and the end of the text; `stop`: what follows is not read. */
  readonly end: ';' | '&&' | '||' | '|' | 'stop';
}

/**
 * The simple commands at the beginning of a shell's text, up to the first thing that would take a whole shell to read: a list in brackets,
 * a here-document, a substitution. Without redirections and comments; variables set before a command are words of it. For those
 * who must be certain; commandsOf reads further, and is wrong at times. Source: bash(1).
 */
export function simpleCommands(text: string): SimpleCommand[] {
  const commands: SimpleCommand[] = [];
  const scan = new Scan(text);
  for (;;) {
    const command = scan.command();
    if (command.words.length > 0) commands.push(command);
    if (command.end === 'stop' || scan.isOver) return commands;
  }
}

class Scan {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replaceAll('\\\n', '');
  }

  get isOver(): boolean {
    return this.#at >= this.#text.length;
  }

  command(): SimpleCommand {
    const words: ShellWord[] = [];
    for (;;) {
      this.#skip(/[ \t\r]*(?:#[^\n]*)?/y);
      if (this.isOver) return { words, end: ';' };
      const operator = this.#skip(/&&|\|\||;;?|\|&?|\n|&(?!>)/y);
      if (operator !== '') return { words, end: endOf(operator) };
      if (this.#skip(/&>>?|\d*(?:>>|>\||<>|[<>])(?![<(])(?:&(?=[\d-]))?[ \t]*/y) !== '') {
        if (this.#word().isOpen) return { words, end: 'stop' };
        continue;
      }
      const next = this.#text[this.#at];
      // `name ()` defines a function.
      if (next === '(' || next === ')') return { words: words.length <= 2 ? [] : words, end: 'stop' };
      if (next === '<' || next === '>') return { words, end: 'stop' };
      const { word, isOpen } = this.#word();
      words.push(word);
      if (isOpen) return { words, end: 'stop' };
    }
  }

  /** `isOpen`: its end is not read. */
  #word(): { readonly word: ShellWord; readonly isOpen: boolean } {
    let word: ShellWord = '';
    for (;;) {
      const part = this.#skip(LITERAL);
      if (part !== '') word = word === undefined ? undefined : word + literalOf(part);
      else if (this.#skip(EXPANDED) !== '') word = undefined;
      else break;
    }
    const isOpen = OPEN.test(this.#text[this.#at] ?? '');
    return { word: isOpen ? undefined : word, isOpen };
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

/** Plain text, `'…'`, `"…"` or `\\x`. */
const LITERAL = /[^\s;&|<>()\\'"$`*?[\]{}~!]+|'[^']*'|"[^"\\$`]*"|\\[\s\S]/y;
/** A variable, a text with one, or what may be a pattern. */
const EXPANDED = /\$(?:\w+|[?#@*!$-])|"(?:[^"\\$`]|\\[\s\S]|\$(?![({]))*"|[*?[\]{}~!]/y;
/** What begins something else whose end would have to be looked for. */
const OPEN = /[$`"'\\]/;

function literalOf(part: string): string {
  if (part.startsWith('\\')) return part.slice(1);
  return /^["']/.test(part) ? part.slice(1, -1) : part;
}

function endOf(operator: string): SimpleCommand['end'] {
  if (operator === ';;') return 'stop';
  if (operator === '&&' || operator === '||') return operator;
  return operator.startsWith('|') ? '|' : ';';
}
