import { type ShellWord, type SimpleCommand, simpleCommands } from '../../core/shell/simple-commands.ts';

/** A command whose text alone shows what it is. */
export interface CertainCommand {
  readonly words: readonly ShellWord[];
  /** What the text does if it fails: `&&`, `||` (after it, or after what follows in the same list) or nothing. */
  readonly tested: '&&' | '||' | 'not';
  /** The failure of its list of commands is that of the whole text. */
  readonly isLast: boolean;
  /** Whether its errors go to /dev/null. */
  readonly isSilent: boolean;
}

/** The commands at the beginning of a shell's text, up to the first one that only a whole shell could interpret. */
export function certainCommands(text: string): CertainCommand[] {
  const commands = simpleCommands(text).filter(({ depth }) => depth === 0);
  const found: CertainCommand[] = [];
  let tested: CertainCommand['tested'] = 'not';
  let isLast = false;
  for (const command of beginning(commands).toReversed()) {
    const { end, certain: words, isSilent } = command;
    if (end === '||' || (end === '&&' && tested === 'not')) tested = end;
    else if (end !== '|' && end !== '&&') {
      tested = 'not';
      isLast = command === commands.at(-1);
    }
    found.push({ words, tested, isLast, isSilent });
  }
  return found.reverse();
}

function beginning(commands: readonly SimpleCommand[]): readonly SimpleCommand[] {
  const grouped = commands.findIndex(({ isGrouped }) => isGrouped);
  const before = grouped < 0 ? commands : commands.slice(0, grouped);
  const last = before.findIndex(({ isOpen, end }) => isOpen || end === '(' || end === ')' || end === ';;');
  const { end = '', words = [] } = before[last] ?? {};
  // `name ()` defines a function.
  const isDefinition = (end === '(' || end === ')') && words.length <= 2;
  return last < 0 ? before : before.slice(0, isDefinition ? last : last + 1);
}
