import type { RecoveryPlan } from '../strategies/recovery-plan.ts';
import { notProved } from './record-outcome.ts';
import type { RecoveryOutcome } from './recovery-job.ts';

/** What `processName` waits for, if it is in alarm too. */
export function dependsOn(processName: string, { settings }: RecoveryPlan): string[] {
  // [process.default] may name what every other process depends on.
  return settings.dependsOn.filter((name) => name !== processName);
}

/** One in alarm that others may depend on. */
export interface Dependency {
  readonly processName: string;
  /** How its alarm ends; undefined if nobody can say that beforehand. */
  readonly outcome: Promise<RecoveryOutcome | undefined>;
}

/** Waits for all of them; why what depends on them must not be restarted if one is not well. */
export async function failureAmong(dependencies: readonly Dependency[]): Promise<string | undefined> {
  for (const { processName, outcome } of dependencies) {
    const ended = await outcome;
    if (ended?.kind === 'failed' || ended?.kind === 'skipped')
      return `it depends on ${processName}, which is not well: ${ended.reason}`;
    if (ended?.kind === 'not_proved') return `it depends on ${processName}, which is ${notProved(ended.reason)}`;
    if (ended?.kind === 'interrupted') return `it depends on ${processName}, whose recovery was interrupted`;
  }
  return undefined;
}
