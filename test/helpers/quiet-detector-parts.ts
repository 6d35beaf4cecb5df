import { systemClock } from '../../src/core/clock.ts';
import { EventBus } from '../../src/core/events.ts';
import type { ProcessExitParts } from '../../src/detectors/exits/detector.ts';
import { silentLog } from './strategy-parts.ts';

/** Parts of a detector of exits around which nothing else goes on: no recovery, no alarm, no events of the kernel. */
export function quietDetectorParts() {
  return {
    events: new EventBus(systemClock, (error) => {
      throw error;
    }),
    log: silentLog,
    lives: { seen: () => {}, exited: () => {} },
    isRecovering: () => false,
    isUnitRecovering: () => false,
    isInAlarm: () => false,
    source: undefined,
  } satisfies Partial<ProcessExitParts>;
}
