import type { Clock } from '../../../core/clock.ts';
import type { EventBus } from '../../../core/events.ts';
import type { Logger } from '../../../core/logger.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { ServiceManager } from '../../../system/systemd/service-manager.ts';
import type { AlarmRaiser, LifeKeeper } from '../../detector.ts';
import type { WatchedPids } from './pids.ts';

/** What a watch uses of the rest. */
export interface WatchParts {
  readonly table: ProcessTable;
  readonly services: Pick<ServiceManager, 'show' | 'available' | 'watch' | 'signalledEnd' | 'end' | 'restartDue'>;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  readonly raiser: AlarmRaiser;
  readonly lives: LifeKeeper;
  /** True while a recovery of ours for this process, or for what it stands for (`key`), is under way. */
  readonly isRecovering: (processName: string, key: string) => boolean;
  /** The same for a recovery of that unit, whichever process it stands for. */
  readonly isUnitRecovering: (unit: string) => boolean;
  /** True while its alarm stands already, whoever raised it: its notes say more than another would. */
  readonly isInAlarm: (processName: string) => boolean;
  readonly pids: WatchedPids;
  /** How a process ended: `known` where it is, else as the kernel's process events told it; undefined where they do not. */
  readonly statusOf: (pid: number, known: number | undefined) => Promise<number | undefined>;
}

/** What ran of a process when it was watched last. */
export interface FormerLife {
  /** 0 where it had been healed, and not been seen yet. */
  readonly pid: number;
  readonly since: Date;
  /** The systemd unit that it ran in, as far as that is known. */
  readonly unit: string | undefined;
}
