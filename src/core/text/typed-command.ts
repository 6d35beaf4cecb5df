// Commands that a message proposes, quoted for a shell.
import { invisibleIn } from './printable.ts';

/**
 * A command of ours about one process, as an operator types it into bash: `monitor_service breaker 'web frontend' --reset`.
 * Every command that a message proposes is made here. Source: bash(1), QUOTING.
 */
export function typedCommand(order: string, processName: string, ...options: readonly string[]): string {
  const name = shellWord(processName);
  // A word that begins with a dash is an option unless it follows `--`, and so are all words after it.
  const words = processName.startsWith('-') ? [...options, '--', name] : [name, ...options];
  return ['monitor_service', order, ...words].join(' ');
}

/** `text` as one word for bash, in one printable line. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text) && invisibleIn(text) === undefined) return singleQuoted(text);
  const escaped = Array.from(text, (character) => {
    if (character === '\\' || character === "'") return `\\${character}`;
    if (!/\p{Cc}/u.test(character) && invisibleIn(character) === undefined) return character;
    const point = character.codePointAt(0) ?? 0;
    return `\\U${point.toString(16).padStart(8, '0')}`;
  });
  return `$'${escaped.join('')}'`;
}

/** `text` in single quotes, as one word for any shell. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
