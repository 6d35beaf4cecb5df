import type { RecoveryPlan } from '../strategies/recovery-plan.ts';
import { notProved } from './recovery/outcome.ts';
import type { RecoveryOutcome } from './recovery-job.ts';

/** Names of the processes that `processName` depends on, without its own. */
export function dependsOn(processName: string, { settings }: RecoveryPlan): string[] {
  // [process.default] may name a process that all others depend on.
  return settings.dependsOn.filter((name) => name !== processName);
}

/** A process in alarm that others may depend on. */
interface Dependency {
  readonly processName: string;
  /** How its alarm ends; undefined if that is not known. */
  readonly outcome: Promise<RecoveryOutcome | undefined>;
}

/** Waits for all of them. Returns why a process that depends on them must not be restarted; undefined if all are well. */
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
