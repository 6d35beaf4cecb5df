// What the looks of checks have found, for later.
import type { EventBus } from '../../core/events.ts';
import type { HoldRecord, Results } from '../../state/daemon-state.ts';

/** Records each look that counts. `holdOf`: the hold that a process is on. */
export function recordResults(
  events: EventBus,
  results: Results,
  holdOf: (processName: string) => HoldRecord | undefined,
): void {
  events.subscribe((event) => {
    if (event.type !== 'check_looked') return;
    const { at, name, processName, found: kind, reason, durationMs } = event;
    const isHeld = processName !== null && holdOf(processName) !== undefined;
    results.add({ at, name, kind, reason, durationMs, isHeld });
  });
}
