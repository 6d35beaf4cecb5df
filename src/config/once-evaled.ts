import { withName } from '../core/command-template.ts';
import type { ReadingBudget } from '../core/shell/reading-budget.ts';
import { unfounded } from '../core/shell/unset-variables.ts';

/**
 * What in a command had a meaning as long as the bash service evaluated it inside of its own functions, and has none any more: their
 * variables, and what only a function may call. One line for people each; [] if that is not certain. Source: seed 000.
 */
export function onceEvaled(template: string, budget: ReadingBudget): string[] {
  const { variables, calls } = unfounded(withName(template, 'x'), budget);
  return [
    ...variables.slice(0, MOST_SHOWN).map((name) => `$${name} is empty, for nothing sets it here (${cureOf(name)})`),
    ...calls.flatMap((name) => CALLS[name] ?? []),
  ];
}

const MOST_SHOWN = 3;

/** What the bash service set, a command finds under another name. */
function cureOf(name: string): string {
  if (name === 'process_name') return 'the bash service did: write %s, or "$MONITOR_PROCESS_NAME"';
  if (name === 'process_id') return 'the bash service did: write "$MONITOR_PROCESS_ID"';
  return 'expected its value, or a command before it that sets it';
}

const CALLS: Readonly<Record<string, string>> = {
  local: 'local fails outside of a function, and sets nothing (leave it out)',
  return: 'return fails outside of a function, and what follows is run (write exit)',
};
