import type { EventOf } from '../core/events.ts';

/** Something that notices when a process is not well. It raises alarms and restarts nothing itself. */
export interface Detector {
  /** Begins to look, in the background. Never throws. */
  start(): void;
  /** Lets everything go. Idempotent; never rejects. */
  stop(): Promise<void>;
}

/** Who acts on the lives of watched processes, before the observers hear of them. Neither call throws. */
export interface LifeKeeper {
  /** One has begun, or is seen for the first time. */
  seen(event: EventOf<'process_seen'>): void;
  /** One has ended. */
  exited(event: EventOf<'process_exited'>): void;
}

/** Who looks after processes whose recovery has ended. Never throws. */
export interface RecoveryFollower {
  /** `target`: the unit or program that was recovered (Resolution.key). */
  afterRecovery(processName: string, target: string, hasSucceeded: boolean): void;
}

/** Where detectors raise alarms: the store, and our own memory where the store cannot take one. */
export interface AlarmRaiser {
  /**
   * Marks the process as in alarm and wakes the loop. An acknowledged row (`sound = 1`) is left alone. Never rejects: an alarm that
   * the store does not take (no row of that name, SELECT only, store away) is kept in state.db and treated alike. When the call
   * returns the alarm survives our death; it resolves when the alarm, and a recovery that was under way, have been dealt with.
   */
  raise(processName: string, notes: string): Promise<void>;
}
