import { givenPart, interpreterOf, isShell } from '../interpreters.ts';
import { calledWords } from './called-words.ts';
import { simpleCommands } from './simple-commands.ts';

/** A program that a shell's text runs. */
export interface ExecutedProgram {
  /** The last part of what it is called by: `date` of `/bin/date`. */
  readonly name: string;
  readonly arguments: readonly string[];
  /** Whoever runs it adds more: xargs, parallel. */
  readonly takesMore: boolean;
}

/** What a text has a shell do, as far as the words say. */
export interface ExecutedText {
  readonly programs: readonly ExecutedProgram[];
  /** Variables in front of commands, and of `export`: `TIME_STYLE=+%s`. */
  readonly assignments: readonly string[];
  /** What a program writes to a file by the shell: its words, and the file. */
  readonly writes: readonly { readonly words: readonly string[]; readonly target: string }[];
}

/**
 * All programs that a text runs: in pipes and substitutions, behind launchers (`sudo -u app nice date`), in texts that are given to a
 * shell (`bash -c`, `eval`, `su -c`, `ssh HOST`), and those of `find -exec`. `isKnown`: the names that are looked for: behind a launcher
 * whose options are not known one by one, it is by them that a program is told from an option's value. `environment`: variables that the text may use.
 */
export function executedPrograms(
  text: string,
  isKnown: (name: string) => boolean,
  environment: Readonly<Record<string, string>> = {},
): ExecutedText {
  const found = new Search(isKnown, environment);
  found.inText(text, 0);
  return found;
}

class Search implements ExecutedText {
  readonly programs: ExecutedProgram[] = [];
  readonly assignments: string[] = [];
  readonly writes: { words: readonly string[]; target: string }[] = [];
  readonly #isKnown: (name: string) => boolean;

  readonly #environment: Readonly<Record<string, string>>;

  constructor(isKnown: (name: string) => boolean, environment: Readonly<Record<string, string>>) {
    this.#isKnown = isKnown;
    this.#environment = environment;
  }

  inText(text: string, depth: number): void {
    if (depth > DEEPEST) return;
    for (const { words, targets } of simpleCommands(text, this.#environment)) {
      const called = calledWords(words);
      const isExport = /^(?:export|readonly|declare|typeset|local|env)$/.test(called[0] ?? '');
      const inFront = isExport ? words : words.slice(0, words.length - called.length);
      this.assignments.push(...inFront.filter((word) => /^[A-Za-z_]\w*=/.test(word)));
      this.writes.push(...targets.map((target) => ({ words, target })));
      // `bash <<< TEXT`; the name of a file says nothing.
      if (isShell(called[0] ?? '')) for (const target of targets) this.inText(target, depth + 1);
      this.#follow(called, depth, false);
    }
  }

  #follow(words: readonly string[], depth: number, takesMore: boolean): void {
    const [first = '', ...args] = words;
    const name = lastPart(first);
    if (name === '' || depth > DEEPEST) return;
    this.programs.push({ name, arguments: args, takesMore });
    if (name === 'eval' || name === 'trap') this.inText(name === 'eval' ? args.join(' ') : (args[0] ?? ''), depth + 1);
    else if (name === 'find') this.#followFind(args, depth);
    else if (isShell(first)) this.#followShell(words, depth);
    else if (isLauncher(name) && !TEXT_LAUNCHERS.test(name)) this.#followLauncher(name, args, depth, takesMore);
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
  #followLauncher(name: string, args: readonly string[], depth: number, takesMore: boolean): void {
    let operands = OPERANDS[name] ?? 0;
    for (const [at, word] of args.entries()) {
      const before = args[at - 1] ?? '';
      if (/\s/.test(word)) {
        this.inText(word, depth + 1);
        if (!before.startsWith('-')) return;
      } else if (isPlain(word)) {
        if (this.#isFollowed(word)) {
          this.#follow(args.slice(at), depth + 1, takesMore || ADDING.test(name));
          return;
        }
        // What stands behind an option may be its value.
        if (!before.startsWith('-') && operands-- <= 0) return;
      }
    }
  }

  #isFollowed(word: string): boolean {
    const name = lastPart(word);
    return this.#isKnown(name) || isShell(word) || isLauncher(name) || name === 'find' || name === 'eval';
  }
}

function isLauncher(name: string): boolean {
  return interpreterOf(name) === 'launcher' || Object.hasOwn(OPERANDS, name) || name === 'time';
}

/** Neither an option, nor a number or a duration, nor a variable. */
function isPlain(word: string): boolean {
  return !/^(?:-|[\d.]+[smhd]?$|[A-Za-z_]\w*=)/.test(word);
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Those that execute a text of a language of their own, and no other program. */
const TEXT_LAUNCHERS = /^(?:[gmn]?awk|gdb)$/;
/** Those that put more words behind the program's. */
const ADDING = /^(?:xargs|parallel)$/;

/** How many words stand before the program that are neither options nor their values: `flock FILE`, `docker exec NAME`. */
const OPERANDS: Readonly<Record<string, number>> = {
  flock: 1,
  chroot: 1,
  taskset: 1,
  chrt: 1,
  su: 2,
  runuser: 1,
  ssh: 1,
  gosu: 1,
  'su-exec': 1,
  setuidgid: 1,
  's6-setuidgid': 1,
  envdir: 1,
  docker: 3,
  podman: 3,
  nerdctl: 3,
  crictl: 2,
  kubectl: 2,
  'lxc-attach': 0,
  lxc: 2,
  machinectl: 2,
  ip: 3,
  tmux: 1,
  'systemd-cat': 0,
  unbuffer: 0,
  chronic: 0,
  script: 0,
};

const DEEPEST = 20;
