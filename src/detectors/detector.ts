import type { AlarmSource, EventOf } from '../core/events.ts';

/** Something that notices when a process is not well. It raises alarms and restarts nothing itself. */
export interface Detector {
  /** Begins to watch, in the background. Never throws. */
  start(): void;
  /** Releases everything that it watches. Idempotent; never rejects. */
  stop(): Promise<void>;
}

/** Acts on the lives of watched processes, before the observers learn of them. Neither call throws. */
export interface LifeTracker {
  /** A life has begun, or was seen for the first time. */
  seen(event: EventOf<'process_seen'>): void;
  /** A life has ended. */
  exited(event: EventOf<'process_exited'>): void;
}

/** Looks after processes whose recovery has ended. Never throws. */
export interface RecoveryFollower {
  /** `target`: the unit or program that was recovered (Resolution.key). */
  afterRecovery(processName: string, target: string, hasSucceeded: boolean): void;
}

/** Where detectors raise alarms: the store, and the daemon's own state if the store cannot take one. */
export interface AlarmRaiser {
  /**
   * Marks the process as in alarm and wakes the poll loop. An acknowledged row (`sound = 1`) is left alone. Never rejects: an
   * alarm that the store does not take (no row of that name, SELECT only, store not reachable) is kept in state.db and handled
   * alike. When the call returns, the alarm survives the daemon's death. It resolves when the alarm, and a recovery that was
   * under way, are done.
   */
  raise(processName: string, notes: string, by: AlarmSource): Promise<void>;
  /**
   * The same for a detector that joins the alarm that stands: nobody's notes are replaced, and nothing is raised for an acknowledged row.
   * Resolves as soon as it is known what became of it.
   */
  raiseNew(processName: string, notes: string, by: AlarmSource): Promise<RaisedNew>;
}

/** What became of an alarm: `standing`: there was one before; else where it is. */
export type RaisedNew = 'stored' | 'kept' | 'acknowledged' | 'standing';
