import { interpreterOf } from '../../../core/interpreters.ts';
import { lastPart } from '../../../system/proc/called-names.ts';

/** The simple commands of a shell's text, in its order, each as its words; an approximation, for warnings and careful guesses. */
export function commandsOf(text: string): string[][] {
  const lines = text.replace(/\\\n/g, ' ').replace(/^\s*#.*$/gm, '');
  const commands = lines.match(/(?:"[^"]*"|'[^']*'|[^;&|\n])+/g) ?? [];
  return commands.map(wordsOf).filter(([first = '']) => first !== '' && !first.startsWith('#'));
}

/** `su` or `runuser`, whichever one of the commands begins with: of everybody but root they ask a password, or refuse. */
export function switcherIn(text: string): string | undefined {
  return commandsOf(text)
    .map(([first = '']) => lastPart(first))
    .find((first) => first === 'su' || first === 'runuser');
}

/** Where in the words of one command the program stands that it runs, behind launchers (env, nice, sudo); -1 if none does. */
export function programAt(words: readonly string[]): number {
  return words.findIndex((word) => interpreterOf(word) !== 'launcher' && isPlain(word));
}

/** Neither an option, nor its number, nor a variable. */
function isPlain(word: string): boolean {
  return !/^(?:-|\d+$|[A-Za-z_]\w*=|[<>])/.test(word);
}

/** Without what the shell itself takes away in front: its own words, variables; and without quotes around whole words. */
function wordsOf(command: string): string[] {
  const inner = /^\s*\(/.test(command) ? command.replace(/[\s)]+$/, '') : command;
  const words = inner.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  const bare = words.map((word) => word.replace(/^(["'])(.*)\1$/, '$2'));
  while (bare[0] !== undefined && bare[0] !== '') {
    const own = OWN_WORDS.find((each) => each.test(bare[0] ?? ''));
    if (own === undefined) break;
    // `(python3` is a word of its own behind the bracket, and `exec -a NAME` takes two more.
    const left = bare[0].replace(own, '');
    const options = left === '' && /^(?:exec|command|time)$/.test(bare[0]) ? optionsOf(bare.slice(1)) : 0;
    bare.splice(0, 1 + options, ...(left === '' ? [] : [left]));
  }
  return bare;
}

/** What runs the rest of a command, or begins a list of commands (bash(1)): `(`, `\`, `exec`, `then`; and variables. */
const OWN_WORDS: readonly RegExp[] = [
  /^[({\\!]+/,
  /^(?:exec|command|builtin|time|then|else|elif|do|if|while|until)$/,
  /^[A-Za-z_]\w*=.*$/,
];

/** How many words are options of `exec`, `command` or `time`, with their values. */
function optionsOf(words: readonly string[]): number {
  let count = 0;
  for (let word = words[0]; word?.startsWith('-'); word = words[count]) count += word === '-a' ? 2 : 1;
  return count;
}
