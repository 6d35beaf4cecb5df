import type { ProcessIdentity } from '../proc/table.ts';
import type { UnitStatus } from './service-manager.ts';

/** Another supervisor of a monitored process, as one look saw it. */
export interface OtherSupervisor {
  /** `supervisord (pid 12)`, printable. */
  readonly description: string;
  /** How long it may still take to start the process, of which nothing runs; 0 where it runs, or the time is over. */
  readonly leftMs: number;
}

/** What runs of a monitored process, as one look saw it. */
export type RunningProcesses =
  | {
      readonly kind: 'found';
      /** The unit or program (Resolution.key of strategies/strategy.ts). */
      readonly key: string;
      /** The topmost ones, the oldest first; [] where nothing runs. */
      readonly processes: readonly ProcessIdentity[];
      /** The systemd unit that they run in, where they do and it is not our own. */
      readonly unit: string | undefined;
      /** How the unit stood at this look; undefined where it was not asked. */
      readonly status: UnitStatus | undefined;
      /** The unit is active without a process, though it was seen to have some while it was: what it is there for has ended. */
      readonly isHollow?: true;
      /** The unit has ended well, and another one will start it when it is needed: its socket listens. */
      readonly waitsForTrigger?: true;
      /** Who else starts it again when it ends; absent where nobody is known to. */
      readonly supervisor?: OtherSupervisor | undefined;
    }
  /** It cannot be told, in one line: systemd does not answer, or the name must not be touched. */
  | { readonly kind: 'unknown'; readonly reason: string };
