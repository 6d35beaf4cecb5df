import type { Alarm, SeenNotes } from '../core/alarm.ts';
import type { BreakerSnapshot } from '../core/breaker-snapshot.ts';
import type { LaunchRecords } from '../core/launch-record.ts';
import type { Pins } from '../core/pin.ts';
import type { ProgramRoots } from '../core/program-roots.ts';
import type { UnitsWithProcesses } from '../core/units-with-processes.ts';

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
  readonly unproved: UnprovedAlarms;
  readonly holds: HoldRecords;
  readonly launches: LaunchRecords;
  /** How programs may be started by an operator's word. Durable. */
  readonly pins: Pins;
  readonly roots: ProgramRoots;
  /** Alarms of our own that the store could not take. */
  readonly kept: KeptAlarmRecords;
  /** Since when watched processes run, and how their last lives ended. */
  readonly lives: WatchedLifeRecords;
  readonly unitsWithProcesses: UnitsWithProcesses;
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
  /** The alarms it is to end, as they were read. */
  readonly alarms: readonly JournalAlarm[];
  readonly startedAt: Date;
}

/** One alarm that an attempt is to end. */
export interface JournalAlarm extends Pick<Alarm, 'source' | 'key' | 'notes' | 'notesDigest'> {
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
  readonly processId: string;
  readonly processName: string;
  /** Notes that the row may have instead: an alarm of our own was sent there, and nobody knows whether it arrived. It is healed too. */
  readonly orNotes?: string;
  readonly handledAt: Date;
}

export interface HandledAlarms {
  get(processId: string): HandledAlarm | undefined;
  set(alarm: HandledAlarm): void;
  delete(processId: string): void;
  list(): HandledAlarm[];
}

/** An alarm whose process was restarted, without a proof that it is well, or that it is not. */
export interface UnprovedAlarm {
  /** Alarm.key. */
  readonly key: string;
  readonly processName: string;
  /** Why there is none, in one line: `db1.example.test could not be resolved`. */
  readonly reason: string;
  /** The recovery's, in the record of one of its alarms; null in the others. */
  readonly target: string | null;
  readonly attempts: number;
  readonly since: Date;
}

export interface UnprovedAlarms {
  get(key: string): UnprovedAlarm | undefined;
  set(alarm: UnprovedAlarm): void;
  delete(key: string): void;
  list(): UnprovedAlarm[];
}

export interface HoldRecord {
  /** A process's; null: the hold on everything. */
  readonly name: string | null;
  /** null: until released. */
  readonly until: Date | null;
  readonly reason: string;
  /** Also what is only wanted by something else that is started stays down. */
  readonly strict?: true;
}

export interface HoldRecords {
  list(): HoldRecord[];
  set(hold: HoldRecord): void;
  delete(name: HoldRecord['name']): void;
}

/** An alarm that one of our own detectors raised and that the store has not taken, or not yet. */
export interface KeptAlarmRecord {
  /** At most one of a name. */
  readonly processName: string;
  readonly notes: string;
  readonly raisedAt: Date;
  /** Ids of rows that the alarm was sent to by a call that failed with no word on whether it was carried out. */
  readonly doubtfulRows: readonly string[];
}

export interface KeptAlarmRecords {
  get(processName: string): KeptAlarmRecord | undefined;
  set(alarm: KeptAlarmRecord): void;
  delete(processName: string): void;
  /** Oldest first. */
  list(): KeptAlarmRecord[];
}

/** What is known of a process that is watched. */
export interface WatchedLife {
  readonly processName: string;
  /** The process of its present life, or of its last one; 0 where that was healed and has not been seen yet. */
  readonly pid: number;
  /** When the present life began; null where it is not known to run, and after a boot. */
  readonly since: Date | null;
  /** The systemd unit that it runs in, or ran in; null where there is none. */
  readonly unit: string | null;
  /** All of this was written down before the machine was booted; absent if it was not. */
  readonly beforeBoot?: true;
  /** Unexpected exits, all that were ever seen. */
  readonly exits: number;
  readonly lastExit: {
    readonly at: Date;
    /** `exit code 1`, `signal SIGSEGV (core dumped)`. */
    readonly cause: string;
    readonly uptimeMs: number;
    /** We, or an operator, have stopped it. */
    readonly expected: boolean;
    /** It ended during a recovery of it: nobody has said that it should not run. Absent if it did not. */
    readonly ours?: true;
  } | null;
}

export interface WatchedLifeRecords {
  get(processName: string): WatchedLife | undefined;
  set(life: WatchedLife): void;
  delete(processName: string): void;
  list(): WatchedLife[];
}

/** One line of the story: an event's type, whom it concerns, and its words. */
export interface HistoryEntry {
  readonly at: Date;
  readonly type: string;
  readonly processName: string;
  /** One line. */
  readonly detail: string;
  /** The last lines of output that go with it, at most 5; absent if there are none. */
  readonly output?: readonly string[];
}

export interface History {
  append(entry: HistoryEntry): void;
  /** The last `limit` entries, newest last; of one process where named. */
  recent(limit: number, processName?: string): HistoryEntry[];
}
