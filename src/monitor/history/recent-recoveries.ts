import type { RecoveryRecord } from '../../control/status.ts';
import { withoutLines } from '../../core/text/last-lines.ts';
import type { History, HistoryEntry } from '../../state/daemon-state.ts';
import { outcomeOf } from './last-recoveries.ts';

/** How the last five recoveries of a process ended, newest first. One that it shared with another process has that one's result. */
export function recentRecoveries(history: History, processName: string): RecoveryRecord[] {
  const recoveries: RecoveryRecord[] = [];
  const entries = history.find({ processName, limit: LOOK_BACK });
  for (const [i, entry] of entries.entries()) {
    const found = entry.type === 'recovery_shared' ? sharedWith(history, entry) : { entry, before: entries.slice(0, i) };
    const outcome = found && outcomeOf(found.entry.type);
    if (found === undefined || outcome === undefined) continue;
    const { at, detail } = found.entry;
    const output = outcome === 'failed' ? outputOf(found.entry, found.before).slice(-MAX_OUTPUT) : [];
    recoveries.push({ at: at.toISOString(), outcome, detail: withoutLines(detail, output), output });
  }
  return recoveries.slice(-SHOWN).reverse();
}

const LOOK_BACK = 1000;
const SHOWN = 5;
const MAX_OUTPUT = 5;

/** The recovery of the process that led it, which ended just before the entry was written. */
function sharedWith(
  history: History,
  { at, detail }: HistoryEntry,
): { entry: HistoryEntry; before: HistoryEntry[] } | undefined {
  const entries = history.find({ processName: detail, limit: LOOK_BACK });
  const i = entries.findLastIndex((entry) => entry.at <= at && outcomeOf(entry.type) !== undefined);
  const entry = entries[i];
  return entry && { entry, before: entries.slice(0, i) };
}

/** The output of the entry, or of its last attempt. */
function outputOf({ output }: HistoryEntry, before: readonly HistoryEntry[]): readonly string[] {
  if (output !== undefined) return output;
  const last = before.findLast(({ type }) => type === 'attempt_failed' || outcomeOf(type) !== undefined);
  return last?.type === 'attempt_failed' ? (last.output ?? []) : [];
}
