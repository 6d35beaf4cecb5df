// Finds variables in a shell command that nothing sets, and commands that need a function around them.
import { calledWords } from './called-words.ts';
import type { ReadingBudget } from './reading-budget.ts';
import { readText, type SimpleCommand } from './simple-commands.ts';

/** What has no effect in a shell text if only the text itself sets its variables, and no function surrounds it. */
interface Unfounded {
  /**
   * Variables with a lower-case letter in their names that are certainly empty, each once: `$name` or `${name}` that the text
   * never sets.
   */
  readonly variables: readonly string[];
  /** `local`, `return`: called although only a function may call them (bash(1)), each once. */
  readonly calls: readonly string[];
}

/**
 * Finds these in `text`; nothing that is not certain: a name that occurs in any other form may be set there, and a file that
 * the text reads may set any name. The text of an inner shell is not examined. `budget`: see readText.
 */
export function unfounded(text: string, budget: ReadingBudget): Unfounded {
  const used = [...text.matchAll(USED)].flatMap(([, braced, bare = braced]) => bare ?? []);
  const distinct = [...new Set(used)].slice(0, MOST_NAMES);
  const names = distinct.filter((name) => !ELSEWHERE_SET.test(name) && !standsOtherwise(text, name));
  const environment = Object.fromEntries(names.map((name) => [name, `${MARK}${name}${MARK}`]));
  const { commands, notes } = readText(text, environment, budget);
  if (notes.isDoubtful || notes.isAstray || notes.unclosed !== undefined || SETS_UNNAMED.test(text)) return NOTHING;
  const words = commands.flatMap((command) => [...command.words, ...command.targets]);
  const isOpen = commands.some(({ words }) => readsMore(calledWords(words)));
  return {
    variables: isOpen ? [] : names.filter((name) => words.some((word) => word.includes(`${MARK}${name}${MARK}`))),
    calls: FUNCTION.test(text) ? [] : [...new Set(commands.flatMap(functionsOwn))],
  };
}

const NOTHING: Unfounded = { variables: [], calls: [] };
/** No command contains it. */
const MARK = '\u0001';
const USED = /\$(?:\{([A-Za-z]*[a-z]\w*)\}|([A-Za-z]*[a-z]\w*))/g;
/** Lower-case variables that systems pass to all programs. */
const ELSEWHERE_SET = /_proxy$/;
/** `coproc x` sets x_PID. */
const SETS_UNNAMED = /\bcoproc\b/;
const MOST_NAMES = 50;
const FUNCTION = /\(\s*\)|\bfunction\b/;

/**
 * Whether the name also occurs in another form than `$name` or `${name}`: `read name`, `for name in`, `name=`, `((name++))`,
 * `${name:=x}`.
 */
function standsOtherwise(text: string, name: string): boolean {
  return new RegExp(String.raw`(?<![$\w]|\$\{)${name}(?!\w)|\$\{${name}(?![\w}])`).test(text);
}

/** Whether the shell is given more to read than the text itself. */
function readsMore([first = '', ...args]: readonly string[]): boolean {
  return first === '.' || first === 'source' || (first === 'eval' && args.some((word) => /[$`]/.test(word)));
}

function functionsOwn({ words, bare }: SimpleCommand): string[] {
  const called = calledWords(words);
  const [first = ''] = called;
  return bare[words.length - called.length] === true && /^(?:local|return)$/.test(first) ? [first] : [];
}
