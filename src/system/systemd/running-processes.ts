// What runs of a monitored process.

import type { ProcessIdentity } from '../proc/table.ts';
import type { UnitStatus } from './service-manager.ts';

/** Another supervisor of a monitored process, as one look found it. */
export interface OtherSupervisor {
  /** `supervisord (pid 12)`, printable. */
  readonly description: string;
  /**
   * How many milliseconds the supervisor may still take to start the process if none runs; 0 if one runs, or if that time is
   * over.
   */
  readonly leftMs: number;
}

/** The running processes of a monitored process, as one look found them. */
export type RunningProcesses =
  | {
      readonly kind: 'found';
      /** The unit or the program (Resolution.key in strategies/strategy.ts). */
      readonly key: string;
      /** The topmost processes, the oldest first; [] if nothing runs. */
      readonly processes: readonly ProcessIdentity[];
      /** The systemd unit that they run in, if they run in one that is not our own. */
      readonly unit: string | undefined;
      /** The unit's status at this look; undefined if it was not read. */
      readonly status: UnitStatus | undefined;
      /** The unit is active without a process, although it had some before while active: its actual service has ended. */
      readonly isHollow?: true;
      /** The unit has ended successfully, and another unit starts it when it is needed: its socket is listening. */
      readonly waitsForTrigger?: true;
      /** The other supervisor that starts the process again when it ends; absent if none is known. */
      readonly supervisor?: OtherSupervisor | undefined;
    }
  /** One line why that is not known: systemd does not answer, or the name must not be touched. */
  | { readonly kind: 'unknown'; readonly reason: string };
