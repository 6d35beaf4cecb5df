import type { JournalEntry } from '../../src/state/daemon-state.ts';

/** A journal entry of the target `target`. */
export function entryOf(target: string, attempt = 1): JournalEntry {
  return {
    target,
    runId: `run-${target}-${attempt}`,
    attempt,
    alarms: [
      { source: 'store', key: 'row 7', processName: `${target}\u0000"'; -- ü\u{1f600}`, notes: null, notesDigest: null },
    ],
    startedAt: new Date(1_750_000_000_123),
  };
}
