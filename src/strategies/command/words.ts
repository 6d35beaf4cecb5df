import { lastPart } from '../../core/process/comm.ts';
import { interpreterOf } from '../../core/program/interpreters.ts';
import { calledWords } from '../../core/shell/called-words.ts';
import { simpleCommands } from '../../core/shell/simple-commands.ts';

/** The simple commands of a shell's text, but for those of substitutions, in its order, each as its words without the shell's own. */
export function commandsOf(text: string): readonly (readonly string[])[] {
  const commands = simpleCommands(text).filter(({ depth }) => depth === 0);
  return commands.map(({ words }) => calledWords(words)).filter(([first = '']) => first !== '');
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
