import { withName } from '../core/command-template.ts';
import type { ReadingBudget } from '../core/shell/reading-budget.ts';
import { unfounded } from '../core/shell/unset-variables.ts';

/**
 * The parts of a command that had a meaning while the bash service evaluated it inside its own functions, and no longer have
 * one: its variables, and commands that only a function may call. One line for people each; [] if it is not certain.
 */
export function onceEvaled(template: string, budget: ReadingBudget): string[] {
  const { variables, calls } = unfounded(withName(template, 'x'), budget);
  return [
    ...variables.slice(0, MOST_SHOWN).map((name) => `$${name} is empty, because nothing sets it here (${remedyOf(name)})`),
    ...calls.flatMap((name) => CALLS[name] ?? []),
  ];
}

const MOST_SHOWN = 3;

/** How a command gets what the bash service set, which now has another name. */
function remedyOf(name: string): string {
  if (name === 'process_name') return 'the bash service did: write %s, or "$MONITOR_PROCESS_NAME"';
  if (name === 'process_id') return 'the bash service did: write "$MONITOR_PROCESS_ID"';
  return 'expected its value, or a command before it that sets it';
}

const CALLS: Readonly<Record<string, string>> = {
  local: 'local fails outside of a function and sets nothing (remove it)',
  return: 'return fails outside of a function, and the commands after it still run (write exit)',
};
