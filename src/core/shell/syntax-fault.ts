// Finds syntax errors in shell commands.
import { ReadingBudget } from './reading-budget.ts';
import { readText, type SimpleCommand } from './simple-commands.ts';

/**
 * Why a shell would refuse to read a text to its end, as `expected …, got …`: a quote or a bracket that is not closed, `if`
 * without `fi`. Undefined if it would not refuse, or if that is not certain. `budget`: for what is nested in it. Source:
 * bash(1); `bash -n` refuses everything that is reported here.
 */
export function syntaxFault(text: string, budget = new ReadingBudget(MOST_NESTED)): string | undefined {
  if (DOUBTFUL.test(text)) return undefined;
  const { commands, notes } = readText(text, {}, budget);
  if (notes.isDoubtful || budget.isSpent) return undefined;
  if (notes.unclosed !== undefined) return `expected a closing ${notes.unclosed}, got the end of the command`;
  if (notes.isAstray) return 'unexpected )';
  const own = commands.filter(({ depth }) => depth === 0);
  const { end = '' } = own.at(-1) ?? {};
  if (/^[&|]{2}$|^\|$/.test(end)) return `expected a command after ${end}, got the end of the command`;
  return unendedCompound(own);
}

const MOST_NESTED = 50_000;

/** What a shell reads differently. */
const DOUBTFUL = /\b(?:case|coproc|alias|shopt|time)\b|\[\[|\$\[|\(\(|=\(|[?*+@!]\(|\\\n/;

/** The first of `if`, `do` and `{` without its end, or an end without them. */
function unendedCompound(commands: readonly SimpleCommand[]): string | undefined {
  const open: string[] = [];
  for (const { words, bare } of commands) {
    for (let at = 0; at < words.length; at++) {
      const word = bare[at] === true ? (words[at] ?? '') : '';
      const end = Object.hasOwn(ENDS, word) ? ENDS[word] : undefined;
      if (end !== undefined) open.push(end);
      if (/^(?:for|select)$/.test(word)) break;
      if (word === 'function') at++;
      else if (end === undefined && !PASSED.test(word)) {
        if (!/^(?:fi|done|\})$/.test(word)) break;
        const expected = open.pop();
        if (expected !== word) return expected === undefined ? `unexpected ${word}` : `expected ${expected}, got ${word}`;
      }
    }
  }
  const missing = open.pop();
  return missing === undefined ? undefined : `expected ${missing}, got the end of the command`;
}

const ENDS: Readonly<Record<string, string>> = {
  if: 'fi',
  for: 'done',
  select: 'done',
  while: 'done',
  until: 'done',
  '{': '}',
};

/** A command begins after these. */
const PASSED = /^(?:then|else|elif|do|!)$/;
