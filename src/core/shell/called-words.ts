/**
 * What a simple command calls, with its arguments: its words without leading words of the shell itself; [] if nothing is left.
 */
export function calledWords(words: readonly string[]): readonly string[] {
  let rest = words;
  for (let [first] = rest; first !== undefined && isShellsOwn(first); [first] = rest) rest = rest.slice(1 + optionsOf(rest));
  return rest;
}

/**
 * True for what runs the rest of a command, or begins a list of commands (bash(1)): `{`, `!`, `exec`, `then`; and variables.
 */
function isShellsOwn(word: string): boolean {
  return /^(?:[{!]|exec|command|builtin|coproc|time|then|else|elif|do|if|while|until|[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=.*)$/s.test(
    word,
  );
}

/** How many words after `exec`, `command` or `time` are its options, with their values. */
function optionsOf([own = '', ...rest]: readonly string[]): number {
  if (!/^(?:exec|command|time)$/.test(own)) return 0;
  let count = 0;
  for (let [word] = rest; word?.startsWith('-'); word = rest[count]) count += word === '-a' ? 2 : 1;
  return count;
}
