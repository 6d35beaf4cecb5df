import { type ProcessState, processStateNames, processStates } from '../../control/process-state.ts';
import { HELP_COLUMNS } from '../exit-codes.ts';
import type { Style } from '../output.ts';
import { wrap } from '../wrap.ts';

/** The colour of each word under STATE. Red is what somebody has to look at; what is not known is never green. */
export const stateColours = {
  recovering: 'yellow',
  refused: 'red',
  open: 'red',
  held: 'yellow',
  waiting: 'yellow',
  observed: 'yellow',
  alarm: 'red',
  failed: 'red',
  down: 'red',
  unknown: 'yellow',
  ok: 'green',
  quiet: 'dim',
} as const satisfies Record<ProcessState, Style>;

/** The order of rows: what somebody has to look at comes first, what is at rest last. */
export function urgency(state: ProcessState): number {
  return URGENCY[stateColours[state]] * processStateNames.length + processStateNames.indexOf(state);
}

const URGENCY = { red: 0, yellow: 1, green: 2, dim: 3 } as const;

/** For the help: word, colour and condition of each, in their order. */
export function stateHelp(): string {
  const lines = processStateNames.flatMap((word) => {
    const [first = '', ...more] = wrap(processStates[word], HELP_COLUMNS - CONDITION_COLUMN);
    return [
      `  ${word.padEnd(12)}${stateColours[word].padEnd(8)}${first}`,
      ...more.map((line) => `${' '.repeat(CONDITION_COLUMN)}${line}`),
    ];
  });
  return `STATE is the first of these words whose condition holds:\n${lines.join('\n')}`;
}

const CONDITION_COLUMN = 22;
