// Finds the programs that a shell command runs.
import { lastPart } from '../process/comm.ts';
import { givenPart, interpreterOf, isShell } from '../program/interpreters.ts';
import { LAUNCHERS, type Launcher, runsElsewhere } from '../program/launchers.ts';
import { calledWords } from './called-words.ts';
import { ReadingBudget } from './reading-budget.ts';
import { simpleCommands } from './simple-commands.ts';

/** A program that a shell text runs. */
export interface ExecutedProgram {
  /** The last part of the word by which it is called: `date` for `/bin/date`. */
  readonly name: string;
  readonly arguments: readonly string[];
  /** The program that runs it adds more words: xargs, parallel. */
  readonly takesMore: boolean;
}

/** What a text makes a shell do, as far as its words show. */
interface ExecutedText {
  readonly programs: readonly ExecutedProgram[];
  /** Variables before commands, and those of `export`: `TIME_STYLE=+%s`. */
  readonly assignments: readonly string[];
  /** What a program writes to a file through the shell: its words, and the file. */
  readonly writes: readonly { readonly words: readonly string[]; readonly target: string }[];
}

/**
 * All programs that a text runs: in pipes and substitutions, after launchers (`sudo -u app nice date`), in texts that are given
 * to a shell (`bash -c`, `eval`, `su -c`, `ssh HOST`), and those of `find -exec`. `isKnown`: the names that are searched for:
 * after a launcher whose options are not all known, they distinguish a program from an option's value. `environment`: variables
 * that the text may use. `budget`: for what is not in the text itself; once it is spent, the answer may be incomplete.
 */
export function executedPrograms(
  text: string,
  isKnown: (name: string) => boolean,
  environment: Readonly<Record<string, string>> = {},
  budget = new ReadingBudget(MOST_BESIDES),
): ExecutedText {
  const found = new Search(isKnown, environment, budget);
  found.inText(text, 0);
  return found;
}

/** Whether a text runs something under another root or on another machine, so that its path is not one of ours. */
export function executesElsewhere(text: string): boolean {
  return executedPrograms(text, () => false).programs.some(({ name, arguments: args }) => {
    const launcher = launcherOf(name);
    return launcher !== undefined && runsElsewhere(launcher, args);
  });
}

/** How many characters are read of one command in addition to its own text. */
export const MOST_BESIDES = 50_000;

class Search implements ExecutedText {
  readonly programs: ExecutedProgram[] = [];
  readonly assignments: string[] = [];
  readonly writes: { words: readonly string[]; target: string }[] = [];
  readonly #isKnown: (name: string) => boolean;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #budget: ReadingBudget;

  constructor(isKnown: (name: string) => boolean, environment: Readonly<Record<string, string>>, budget: ReadingBudget) {
    this.#isKnown = isKnown;
    this.#environment = environment;
    this.#budget = budget;
  }

  inText(text: string, depth: number): void {
    if (!this.#goesOn(depth, text.length)) return;
    for (const { words, targets } of simpleCommands(text, this.#environment, this.#budget)) {
      const called = calledWords(words);
      const isExport = /^(?:export|readonly|declare|typeset|local|env)$/.test(called[0] ?? '');
      const inFront = isExport ? words : words.slice(0, words.length - called.length);
      this.assignments.push(...inFront.filter((word) => /^[A-Za-z_]\w*=/.test(word)));
      this.writes.push(...targets.map((target) => ({ words, target })));
      // `bash <<< TEXT`; the name of a file does not matter.
      if (isShell(called[0] ?? '')) for (const target of targets) this.inText(target, depth + 1);
      this.#follow(called, depth, false);
    }
  }

  #follow(words: readonly string[], depth: number, takesMore: boolean): void {
    const [first = '', ...args] = words;
    const name = lastPart(first);
    if (name === '' || !this.#goesOn(depth, words.length)) return;
    this.programs.push({ name, arguments: args, takesMore });
    if (name === 'eval' || name === 'trap') this.inText(name === 'eval' ? args.join(' ') : (args[0] ?? ''), depth + 1);
    else if (name === 'find') this.#followFind(args, depth);
    else if (isShell(first)) this.#followShell(words, depth);
    else {
      const launcher = launcherOf(name);
      if (launcher !== undefined && launcher.ownLanguage !== true) this.#followLauncher(launcher, args, depth, takesMore);
    }
  }

  /** Whether this much more is read; what is in the command itself always is. */
  #goesOn(depth: number, characters: number): boolean {
    if (depth > DEEPEST) this.#budget.giveUp();
    return depth === 0 || this.#budget.take(characters);
  }

  /** `bash -c TEXT`. */
  #followShell(words: readonly string[], depth: number): void {
    const kind = interpreterOf(words[0] ?? '');
    const given = kind === undefined || kind === 'launcher' ? undefined : givenPart(kind, words);
    if (given?.kind === 'text') this.inText(words[given.at] ?? '', depth + 1);
  }

  #followFind(args: readonly string[], depth: number): void {
    for (let at = 0; at < args.length; at++) {
      if (!/^-(?:exec|ok)(?:dir)?$/.test(args[at] ?? '')) continue;
      const length = args.slice(at).findIndex((one) => one === ';' || one === '+');
      const end = length < 0 ? args.length : at + length;
      this.#follow(args.slice(at + 1, end), depth + 1, true);
      at = end;
    }
  }

  /** A program that runs the rest of its command line, or a text in it. */
  #followLauncher(launcher: Launcher, args: readonly string[], depth: number, takesMore: boolean): void {
    let { operands = 0 } = launcher;
    for (const [at, word] of args.entries()) {
      const before = args[at - 1] ?? '';
      if (/\s/.test(word)) {
        this.inText(word, depth + 1);
        if (!before.startsWith('-')) return;
      } else if (isPlain(word)) {
        if (this.#isFollowed(word)) {
          this.#follow(args.slice(at), depth + 1, takesMore || launcher.addsWords === true);
          return;
        }
        // The word after an option may be its value.
        if (!before.startsWith('-') && operands-- <= 0) return;
      } else if (/^\d/.test(word) && !before.startsWith('-')) operands--;
    }
  }

  #isFollowed(word: string): boolean {
    const name = lastPart(word);
    return this.#isKnown(name) || isShell(word) || launcherOf(name) !== undefined || name === 'find' || name === 'eval';
  }
}

function launcherOf(name: string): Launcher | undefined {
  if (Object.hasOwn(LAUNCHERS, name)) return LAUNCHERS[name];
  return interpreterOf(name) === 'launcher' ? {} : undefined;
}

/** Neither an option, nor a number or a duration, nor a variable. */
function isPlain(word: string): boolean {
  return !/^(?:-|[\d.]+[smhd]?$|[A-Za-z_]\w*=)/.test(word);
}

const DEEPEST = 20;
