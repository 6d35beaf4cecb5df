import { type ProcessState, processStateNames } from '../../control/process-state.ts';
import type { Style } from '../terminal/output.ts';

/** The colour of each state. Red needs attention; what is not known is never green. */
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

/** The order of rows: what needs attention comes first, what is at rest last. */
export function urgency(state: ProcessState): number {
  return URGENCY[stateColours[state]] * processStateNames.length + processStateNames.indexOf(state);
}

const URGENCY = { red: 0, yellow: 1, green: 2, dim: 3 } as const;
