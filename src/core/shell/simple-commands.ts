// Splits a shell text into simple commands, as bash does.
import { ReadingBudget } from './reading-budget.ts';
import type { Notes, Surroundings } from './surroundings.ts';
import { type ReadSubstitution, WordReader } from './words.ts';

/** A word of a shell text; undefined if only the shell can know its value (a variable, a pattern, a substitution). */
export type ShellWord = string | undefined;

/** One simple command of a shell text (`A=b date +%s >>FILE`), without its quotes. */
export interface SimpleCommand {
  /** Its words, including leading variables and words of the shell itself (`then`, `!`, `exec`). */
  readonly words: readonly string[];
  /** The same words as far as they are certain. */
  readonly certain: readonly ShellWord[];
  /** Which of the words have no quoted part. */
  readonly bare: readonly boolean[];
  /** Where its output goes or its input comes from: files, and the word after `<<<`. */
  readonly targets: readonly string[];
  /** Whether its errors go to /dev/null. */
  readonly isSilent: boolean;
  /**
   * Whether something runs before it or may end the shell (`$( )`, `${x:?}`), whether it reads a here-document, or whether one
   * of its quotes is never closed.
   */
  readonly isOpen: boolean;
  /** Whether it is in `( )`, or after a `)` that closes nothing. */
  readonly isGrouped: boolean;
  /** What follows it; `;` also for the end of a line, and '' for the end of the text. */
  readonly end: '' | ';' | ';;' | '&' | '&&' | '|' | '||' | '(' | ')';
  /** How deeply it is nested in substitutions (`$( )`, backquotes); 0 for the text's own commands. */
  readonly depth: number;
}

/**
 * The simple commands of a text as bash(1) would find them; those of substitutions come before the command that uses them. In a
 * word a substitution is `$()`, or the program whose path it only asks for (`$(which date)`). A variable that the text itself
 * has set, or that is in `environment`, is replaced by its value. The text is read as a shell does, except for aliases,
 * here-documents and the special words of `case` and `[[`. What is left open is closed at the end of the text, and what is
 * nested more than 20 deep is not read. `budget`: for text from variables and backquotes.
 */
export function simpleCommands(
  text: string,
  environment: Readonly<Record<string, string>> = {},
  budget = new ReadingBudget(MOST_FROM_VARIABLES),
): SimpleCommand[] {
  return readText(text, environment, budget).commands;
}

/** The same, with what would prevent the text from running. */
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

  /** The content of backquotes is read when it runs: an error in it is not an error of the text. */
  #unnoted(): Found {
    this.#foundInside ??= { ...this.#found, notes: {} };
    return this.#foundInside;
  }

  /** Reads commands to the end or, if `isClosed`, up to the `)` that closes them; returns the position at which it stopped. */
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
        // Otherwise it closes a pattern of `case`, or nothing.
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
    // The delimiter of a here-document is not a file.
    if (!/^\d*<<-?$/.test(operator)) this.#command.targets.push(target);
    else this.surroundings.notes.isDoubtful = true;
    // After it, words of the shell itself are ordinary words.
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

/** The program that commands only search for: `which PROGRAM`, `command -v PROGRAM`, `type -p PROGRAM`. */
function soughtProgram([first, ...more]: readonly SimpleCommand[]): string | undefined {
  const [, program] = more.length > 0 ? [] : (SEEKING.exec(first?.words.join(' ') ?? '') ?? []);
  return program;
}

const SEEKING = /^(?:(?:\S*\/)?which|command -v|type -[pP]) ([^\s-]\S*)$/;

/** The parts of a command that is being read. */
class Collected {
  readonly words: string[] = [];
  readonly certain: ShellWord[] = [];
  readonly bare: boolean[] = [];
  readonly targets: string[] = [];
  isSilent = false;
  #isQuiet = false;

  /** Sets where the output and the errors go from now on. */
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
