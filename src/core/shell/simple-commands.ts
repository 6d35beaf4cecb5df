import { ReadingBudget } from './reading-budget.ts';
import type { Notes, Surroundings } from './surroundings.ts';
import { type ReadSubstitution, WordReader } from './words.ts';

/** A word of a shell's text; undefined if only the shell can tell what it comes to (a variable, a pattern, a substitution). */
export type ShellWord = string | undefined;

/** One simple command of a shell's text (`A=b date +%s >>FILE`), with its quotes taken away. */
export interface SimpleCommand {
  /** Its words, variables in front and the shell's own (`then`, `!`, `exec`) included. */
  readonly words: readonly string[];
  /** The same as far as they are certain. */
  readonly certain: readonly ShellWord[];
  /** Of which of them nothing is quoted. */
  readonly bare: readonly boolean[];
  /** What its output or input goes to: files, and the word behind `<<<`. */
  readonly targets: readonly string[];
  /** Whether its errors go to /dev/null. */
  readonly isSilent: boolean;
  /**
   * Whether something runs before it, or may end the shell (`$( )`, `${x:?}`), it reads a here-document, or a quote of it is
   * never closed.
   */
  readonly isOpen: boolean;
  /** Whether it stands in `( )`, or behind a `)` that closes nothing. */
  readonly isGrouped: boolean;
  /** What stands behind it; `;` also for a line's end, and '' for that of the text. */
  readonly end: '' | ';' | ';;' | '&' | '&&' | '|' | '||' | '(' | ')';
  /** How deep it stands in substitutions (`$( )`, backquotes); 0 for the text's own commands. */
  readonly depth: number;
}

/**
 * The simple commands of a text as bash(1) would find them, those of substitutions before the command that uses them. In a word a
 * substitution is `$()`, or the program of which it only asks where that is (`$(which date)`), and a variable that the text itself has
 * set, or that stands in `environment`, is its value. It is read like a shell reads, but for aliases, here-documents and what `case`
 * and `[[` make of a word; what is left open is closed at the end of the text, and nothing is looked into that is nested more than 20
 * deep. `budget`: of what comes from variables and backquotes.
 */
export function simpleCommands(
  text: string,
  environment: Readonly<Record<string, string>> = {},
  budget = new ReadingBudget(MOST_FROM_VARIABLES),
): SimpleCommand[] {
  return readText(text, environment, budget).commands;
}

/** The same, with what stands in the way of running the text. */
export function readText(
  text: string,
  environment: Readonly<Record<string, string>>,
  budget: ReadingBudget,
): { readonly commands: SimpleCommand[]; readonly notes: Readonly<Notes> } {
  const commands: SimpleCommand[] = [];
  const notes: Notes = {};
  new ListReader(text, { commands, notes, budget, variables: new Map(Object.entries(environment)) }, 0, 0).readList(false);
  return { commands, notes };
}

const MOST_FROM_VARIABLES = 65_536;

interface Found extends Surroundings {
  readonly commands: SimpleCommand[];
}

class ListReader extends WordReader {
  readonly #found: Found;
  #foundInside: Found | undefined;
  #command = new Collected();
  #groups = 0;
  #isAstray = false;

  constructor(text: string, found: Found, depth: number, at: number) {
    super(text, found, depth, at);
    this.#found = found;
  }

  protected override readInner(text: string, isClosed: boolean, at: number): ReadSubstitution {
    const before = this.#found.commands.length;
    const end = new ListReader(text, isClosed ? this.#found : this.#unnoted(), this.depth + 1, at).readList(isClosed);
    return { at: end, program: soughtProgram(this.#found.commands.slice(before)) };
  }

  /** What backquotes hold is read when it runs: a fault in it is none of the text. */
  #unnoted(): Found {
    this.#foundInside ??= { ...this.#found, notes: {} };
    return this.#foundInside;
  }

  /** Reads commands to the end, or, if `isClosed`, up to the `)` that closes them; where it has stopped. */
  readList(isClosed: boolean): number {
    while (this.at < this.text.length) {
      const redirection = this.match(REDIRECTION);
      if (redirection !== undefined) {
        this.match(BLANKS);
        this.#redirect(redirection);
        continue;
      }
      if (this.match(BLANKS) !== undefined || this.match(CONTINUATION) !== undefined || this.match(COMMENT) !== undefined)
        continue;
      const end = this.match(END);
      if (end === undefined) this.#addWord();
      else {
        this.#finish(end === '\n' ? ';' : (end as SimpleCommand['end']));
        if (end === '(') this.#groups++;
        // Else it closes a pattern of `case`, or nothing.
        else if (end === ')' && this.#groups === 0 && isClosed) return this.at;
        else if (end === ')' && this.#groups === 0) this.#goesAstray();
        else if (end === ')') this.#groups--;
      }
    }
    this.#finish('');
    if (isClosed || this.#groups > 0) this.surroundings.notes.unclosed ??= ')';
    return this.at;
  }

  #goesAstray(): void {
    this.#isAstray = true;
    this.surroundings.notes.isAstray = true;
  }

  #addWord(): void {
    const word = this.word();
    this.#command.words.push(word);
    this.#command.certain.push(this.isLiteral ? word : undefined);
    this.#command.bare.push(this.isBare);
  }

  #redirect(operator: string): void {
    const target = this.word();
    // What a here-document is closed by is no file.
    if (!/^\d*<<-?$/.test(operator)) this.#command.targets.push(target);
    else this.surroundings.notes.isDoubtful = true;
    // Behind it the shell's own words are none.
    if (this.#command.words.length === 0) this.surroundings.notes.isDoubtful = true;
    if (/<</.test(operator)) this.isOpen = true;
    this.#command.redirect(operator, target);
  }

  #finish(end: SimpleCommand['end']): void {
    const { words, certain, bare, targets, isSilent } = this.#command;
    const { isOpen, depth } = this;
    const isGrouped = this.#groups > 0 || this.#isAstray;
    if (words.length > 0 || targets.length > 0)
      this.#found.commands.push({ words, certain, bare, targets, isSilent, isOpen, isGrouped, end, depth });
    this.#command = new Collected();
    this.isOpen = false;
    for (const word of words) {
      const [, name, value] = ASSIGNMENT.exec(word) ?? [];
      if (name !== undefined && value !== undefined) this.#found.variables.set(name, value);
      else if (!ASSIGNING.test(word)) break;
    }
  }
}

/** The program that commands only look for: `which PROGRAM`, `command -v PROGRAM`, `type -p PROGRAM`. */
function soughtProgram([first, ...more]: readonly SimpleCommand[]): string | undefined {
  const [, program] = more.length > 0 ? [] : (SEEKING.exec(first?.words.join(' ') ?? '') ?? []);
  return program;
}

const SEEKING = /^(?:(?:\S*\/)?which|command -v|type -[pP]) ([^\s-]\S*)$/;

/** What is there of a command that is being read. */
class Collected {
  readonly words: string[] = [];
  readonly certain: ShellWord[] = [];
  readonly bare: boolean[] = [];
  readonly targets: string[] = [];
  isSilent = false;
  #isQuiet = false;

  /** Where its output and its errors go then. */
  redirect(operator: string, target: string): void {
    const isNull = target === '/dev/null' || target === '-';
    if (/^(?:1?>[>|]?|1>&)$/.test(operator))
      this.#isQuiet = isNull || (operator.endsWith('&') && target === '2' && this.isSilent);
    else if (/^2>[>|]?$/.test(operator)) this.isSilent = isNull;
    else if (operator === '2>&') this.isSilent = isNull || (target === '1' && this.#isQuiet);
    else if (/^(?:&>>?|>&)$/.test(operator)) {
      this.#isQuiet = isNull;
      this.isSilent = isNull;
    }
  }
}

const BLANKS = /[ \t]+/y;
const REDIRECTION = /(?:&>>?|\d*(?:<<<|<<-?|<>|>>|>\||[<>]&|[<>]))(?!\()/y;
const CONTINUATION = /\\\n/y;
const COMMENT = /#[^\n]*/y;
const END = /;;|&&|\|\||[;&|()\n]/y;
const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s;
const ASSIGNING = /^(?:export|readonly|local|declare|typeset|-\w+)$/;
