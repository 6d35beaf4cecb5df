// The words of shell commands, and which of them is the program that is run.
import { lastPart } from '../../core/process/comm.ts';
import { interpreterOf } from '../../core/program/interpreters.ts';
import { calledWords } from '../../core/shell/called-words.ts';
import { simpleCommands } from '../../core/shell/simple-commands.ts';

/**
 * The simple commands of a shell's text in order, without those of substitutions; each as its words without the shell's own.
 */
export function commandsOf(text: string): readonly (readonly string[])[] {
  const commands = simpleCommands(text).filter(({ depth }) => depth === 0);
  return commands.map(({ words }) => calledWords(words)).filter(([first = '']) => first !== '');
}

/** `su` or `runuser`, if one of the commands begins with it: they ask everybody but root for a password, or refuse. */
export function switcherIn(text: string): string | undefined {
  return commandsOf(text)
    .map(([first = '']) => lastPart(first))
    .find((first) => first === 'su' || first === 'runuser');
}

/** The index of the program among the words of one command, behind launchers (env, nice, sudo); -1 if there is none. */
export function programAt(words: readonly string[]): number {
  return words.findIndex((word) => interpreterOf(word) !== 'launcher' && isPlain(word));
}

/** Not an option, nor its number, nor a variable. */
function isPlain(word: string): boolean {
  return !/^(?:-|\d+$|[A-Za-z_]\w*=|[<>])/.test(word);
}
