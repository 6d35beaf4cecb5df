import { type ProcessState, processStateNames, processStates } from '../../control/process-state.ts';
import { HELP_COLUMNS } from '../exit-codes.ts';
import { wrap } from '../terminal/wrap.ts';
import { stateColours } from './state-colours.ts';

/** What an operator can do about each state; help, manual and README show it beside the condition. */
export const stateAdvice = {
  recovering: 'wait for its end; the log says how it goes',
  refused: 'mend what the line below the row names; after a change of config.ini: systemctl reload monitor_service',
  open: 'mend why its recoveries fail (monitor_service status NAME), then: monitor_service breaker NAME --reset',
  held: 'once the maintenance is over: monitor_service release NAME',
  waiting: 'wait; if it takes long, look at what the line below the row names',
  observed: 'mend it by hand, or set mode = act and reload',
  alarm: 'wait for the next poll; if the line below the row says why no restart follows, correct that',
  failed: 'read why (monitor_service status NAME), mend it, then: monitor_service restart NAME',
  down: 'read how it ended (monitor_service status NAME), then: monitor_service restart NAME',
  unknown:
    'mend what the line below the row or the line "alarm store" names; monitor_service check-config --database says more',
  ok: 'nothing',
  quiet: 'nothing; to have it watched, set watch_exit = true in its section, and have a daemon run',
} as const satisfies Record<ProcessState, string>;

/** The states for the help: word, colour and condition of each, and below it what to do; at most 80 columns. */
export function stateHelp(): string {
  const width = HELP_COLUMNS - INDENT;
  const lines = processStateNames.flatMap((word) => {
    const texts = [...wrap(processStates[word], width), ...wrap(`To do: ${stateAdvice[word]}`, width)];
    return texts.map((text, i) => (i === 0 ? `  ${word.padEnd(12)}${stateColours[word]}` : '').padEnd(INDENT) + text);
  });
  return `STATE is the first of these words whose condition is true:\n${lines.join('\n')}`;
}

const INDENT = 22;
