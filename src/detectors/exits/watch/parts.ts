// What the parts of an exit watch share.
import type { Clock } from '../../../core/clock.ts';
import type { EventBus } from '../../../core/events.ts';
import type { Logger } from '../../../core/logger.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { ServiceManager } from '../../../system/systemd/service-manager.ts';
import type { AlarmRaiser, LifeTracker } from '../../detector.ts';
import type { WatchedPids } from './pids.ts';

/** What the watch of a process needs. */
export interface WatchParts {
  readonly table: ProcessTable;
  readonly services: Pick<ServiceManager, 'show' | 'available' | 'watch' | 'signalledEnd' | 'end' | 'restartDue'>;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  readonly raiser: Pick<AlarmRaiser, 'raise'>;
  readonly lives: LifeTracker;
  /** True while one of our recoveries of this process, or of its target (`key`), is under way. */
  readonly isRecovering: (processName: string, key: string) => boolean;
  /** The same for a recovery of that unit, for whichever process. */
  readonly isUnitRecovering: (unit: string) => boolean;
  /** True while it is in alarm already, whoever raised it: those notes say more than ours would. */
  readonly isInAlarm: (processName: string) => boolean;
  readonly pids: WatchedPids;
  /**
   * How a process ended: `known` if it is given, else as the kernel's process events reported it; undefined if they did not.
   */
  readonly statusOf: (pid: number, known: number | undefined) => Promise<number | undefined>;
}

/** What ran of a process when it was last watched. */
export interface FormerLife {
  /** 0 if it had been recovered and was not seen yet. */
  readonly pid: number;
  readonly since: Date;
  /** The systemd unit that it ran in, if that is known. */
  readonly unit: string | undefined;
}
