/** Something that notices when a process is not well. It raises alarms and restarts nothing itself. */
export interface Detector {
  /** Begins to look, in the background. Never throws. */
  start(): void;
  /** Lets everything go. Idempotent; never rejects. */
  stop(): Promise<void>;
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
