import type { SeenNotes } from '../core/alarm.ts';
import type { BreakerSnapshot } from '../core/breaker-snapshot.ts';
import type { LaunchRecords } from '../core/launch-record.ts';

/**
 * The daemon's own memory (`state_dir/state.db`), synchronous: a call returns when the change is durable (fsynced) where it says
 * so. A call that the disk refuses logs one complaint and goes on from memory: a full disk never stops the healing.
 */
export interface DaemonState {
  /** What is under way. Durable before `begin` returns. */
  readonly journal: Journal;
  readonly breakers: BreakerRecords;
  /** Alarms that were healed and whose clearing is pending or not ours to do. Durable. */
  readonly handled: HandledAlarms;
  readonly holds: HoldRecords;
  readonly launches: LaunchRecords;
  /** What happened, newest last, bounded (10,000 rows). */
  readonly history: History;
  /** Writes what is pending and gives the lock back. Idempotent. */
  close(): void;
}

/** One recovery attempt that may have been interrupted by our death. */
export interface JournalEntry {
  readonly target: string;
  /** The run's identity (ShellCommand.runId). */
  readonly runId: string;
  readonly attempt: number;
  /** The rows it heals, as they were read. */
  readonly alarms: readonly JournalAlarm[];
  readonly startedAt: Date;
}

/** One row that an attempt heals, with the notes of its alarm. */
export interface JournalAlarm extends SeenNotes {
  readonly processId: number;
  readonly processName: string;
}

export interface Journal {
  /** Replaces an earlier entry of the same target. */
  begin(entry: JournalEntry): void;
  end(target: string): void;
  /** What an earlier life of the daemon left under way. */
  list(): JournalEntry[];
}

export interface BreakerRecords {
  /**
   * Snapshots by target. Those of an earlier boot come with their times moved to this boot's clock: the full cooldown that was
   * left when they were written applies again.
   */
  load(): Map<string, { readonly snapshot: BreakerSnapshot; readonly processName: string }>;
  save(target: string, processName: string, snapshot: BreakerSnapshot): void;
  delete(target: string): void;
}

/** With the notes of the alarm that was healed. */
export interface HandledAlarm extends SeenNotes {
  readonly processId: number;
  readonly processName: string;
  readonly handledAt: Date;
}

export interface HandledAlarms {
  get(processId: number): HandledAlarm | undefined;
  set(alarm: HandledAlarm): void;
  delete(processId: number): void;
  list(): HandledAlarm[];
}

export interface HoldRecord {
  /** A process name; `*` for all. */
  readonly name: string;
  /** null: until released. */
  readonly until: Date | null;
  readonly reason: string;
}

export interface HoldRecords {
  list(): HoldRecord[];
  set(hold: HoldRecord): void;
  delete(name: string): void;
}

/** One line of the story: an event's type, whom it concerns, and its words. */
export interface HistoryEntry {
  readonly at: Date;
  readonly type: string;
  readonly processName: string;
  readonly detail: string;
}

export interface History {
  append(entry: HistoryEntry): void;
  /** The last `limit` entries, newest last; of one process where named. */
  recent(limit: number, processName?: string): HistoryEntry[];
}
