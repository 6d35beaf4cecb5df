// What the daemon remembers across restarts: the interface to state.db, and the shapes of its records.
import type { Alarm, SeenNotes } from '../core/alarm.ts';
import type { BreakerSnapshot } from '../core/breaker-snapshot.ts';
import type { IncidentEnd, IncidentSign } from '../core/events.ts';
import type { LaunchRecords } from '../core/program/launch-record.ts';
import type { Pins } from '../core/program/pin.ts';
import type { ProgramRoots } from '../core/program/roots.ts';
import type { UnitsWithProcesses } from '../core/program/units-with-processes.ts';
import type { HistoryLimits } from './parse-history.ts';

/**
 * The daemon's persistent state (`state_dir/state.db`). It is synchronous: a call marked durable returns when the change is
 * fsynced. If the disk refuses a call, one error is logged and the daemon continues in memory: a full disk never stops
 * recoveries.
 */
export interface DaemonState {
  /** Recovery attempts in progress. Durable before `begin` returns. */
  readonly journal: Journal;
  readonly breakers: BreakerRecords;
  /** Alarms that were handled and whose clearing is pending or done by somebody else. Durable. */
  readonly handled: HandledAlarms;
  readonly unproved: UnprovedAlarms;
  readonly holds: HoldRecords;
  readonly launches: LaunchRecords;
  /** How programs may be started, as ordered by an operator. Durable. */
  readonly pins: Pins;
  readonly roots: ProgramRoots;
  /** Alarms of our own detectors that the store did not accept. */
  readonly kept: KeptAlarmRecords;
  /** Since when watched processes have been running, and how their last lives ended. */
  readonly lives: WatchedLifeRecords;
  readonly unitsWithProcesses: UnitsWithProcesses;
  readonly lastRecoveries: LastRecoveryRecords;
  readonly checkStates: CheckStateRecords;
  /** Why the disk does not have what was written last, in one line; undefined if it does. Absent: nothing is written. */
  problem?(): string | undefined;
  /** What happened. In a file of its own, `state_dir/history.db`. */
  readonly history: History;
  /** In the same file. */
  readonly incidents: IncidentRecords;
  /** In the same file. */
  readonly timeline: Timeline;
  /** In the same file. */
  readonly results: Results;
  /** Why nothing of it could be read, in one line; absent if it could, or if there is none. */
  readonly unreadable?: string;
  /** True if the last daemon did not end in order; null if there was none, or if it is not known. */
  readonly crashed: boolean | null;
  /** Writes what is pending and releases the lock. Idempotent. */
  close(): void;
}

/** One recovery attempt that may be interrupted when the daemon dies. */
export interface JournalEntry {
  readonly target: string;
  /** The run's identity (ShellCommand.runId). */
  readonly runId: string;
  readonly attempt: number;
  /** The alarms that the attempt is meant to end, as they were read. */
  readonly alarms: readonly JournalAlarm[];
  readonly startedAt: Date;
}

/** One alarm that an attempt is meant to end. */
export interface JournalAlarm extends Pick<Alarm, 'source' | 'key' | 'notes' | 'notesDigest'> {
  readonly processName: string;
}

export interface Journal {
  /** Replaces an earlier entry of the same target. */
  begin(entry: JournalEntry): void;
  end(target: string): void;
  /** The attempts that an earlier run of the daemon left unfinished. */
  list(): JournalEntry[];
}

export interface BreakerRecords {
  /**
   * Snapshots by target. The times of those from an earlier boot are moved to this boot's clock: the cooldown that was left
   * when they were written applies again in full.
   */
  load(): Map<string, { readonly snapshot: BreakerSnapshot; readonly processName: string }>;
  save(target: string, processName: string, snapshot: BreakerSnapshot): void;
  delete(target: string): void;
}

/** A handled alarm, with its notes. */
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

/** An alarm whose process was restarted, while it is not proved whether the process is healthy. */
export interface UnprovedAlarm {
  /** Alarm.key. */
  readonly key: string;
  readonly processName: string;
  /** Why there is no proof, in one line: `db1.example.test could not be resolved`. */
  readonly reason: string;
  /** The target of the recovery, in the record of one of its alarms; null in the others. */
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
  /** The process that is held; null: the hold on everything. */
  readonly name: string | null;
  /** null: until released. */
  readonly until: Date | null;
  readonly reason: string;
  /** Set if the process also stays down when something else that is started requires it. */
  readonly strict?: true;
}

export interface HoldRecords {
  list(): HoldRecord[];
  set(hold: HoldRecord): void;
  delete(name: HoldRecord['name']): void;
}

/** An alarm that one of our own detectors raised and that the store has not accepted yet. */
export interface KeptAlarmRecord {
  /** At most one record per name. */
  readonly processName: string;
  readonly notes: string;
  readonly raisedAt: Date;
  /** The ids of rows to which the alarm was sent by a call that failed with unknown outcome. */
  readonly doubtfulRows: readonly string[];
  /** It is raised in the store only if no row of the process is in alarm. */
  readonly onlyNew?: true | undefined;
}

export interface KeptAlarmRecords {
  get(processName: string): KeptAlarmRecord | undefined;
  set(alarm: KeptAlarmRecord): void;
  delete(processName: string): void;
  /** Oldest first. */
  list(): KeptAlarmRecord[];
}

/** What was last known of a check. */
export interface CheckStateRecord {
  readonly name: string;
  /** Whose alarm it raises; null: nobody's. */
  readonly processName: string | null;
  readonly verdict: 'ok' | 'failing';
  /** Since when. */
  readonly since: Date;
}

export interface CheckStateRecords {
  get(name: string): CheckStateRecord | undefined;
  set(record: CheckStateRecord): void;
  delete(name: string): void;
  list(): CheckStateRecord[];
}

/** What is known about a watched process. */
export interface WatchedLife {
  readonly processName: string;
  /** The pid of its present life, or of its last one; 0 if a recovery started it and it has not been seen yet. */
  readonly pid: number;
  /** When the present life began; null if the process is not known to be running, and after a boot. */
  readonly since: Date | null;
  /** The systemd unit that it runs in, or ran in; null if there is none. */
  readonly unit: string | null;
  /** The whole record was written before the last boot; absent if it was not. */
  readonly beforeBoot?: true;
  /** The number of all unexpected exits ever seen. */
  readonly exits: number;
  readonly lastExit: {
    readonly at: Date;
    /** `exit code 1`, `signal SIGSEGV (core dumped)`. */
    readonly cause: string;
    readonly uptimeMs: number;
    /** We, or an operator, stopped the process. */
    readonly expected: boolean;
    /** The process ended during its own recovery, and nothing says that it should not run. Absent if it did not. */
    readonly ours?: true;
  } | null;
}

export interface WatchedLifeRecords {
  get(processName: string): WatchedLife | undefined;
  set(life: WatchedLife): void;
  delete(processName: string): void;
  list(): WatchedLife[];
}

/** How the last recovery of a process ended, and what an operator has said since. */
export interface LastRecoveryRecord {
  readonly processName: string;
  /** null if there was none, or if nothing is remembered of it. */
  readonly last: { readonly at: Date; readonly outcome: 'recovered' | 'failed' | 'not_proved'; readonly detail: string } | null;
  /** Why its breaker was opened last, in one line; null if that is not remembered. */
  readonly openedFor: string | null;
  /** An operator has reset the breaker or ended the alarm since: a failure no longer counts. */
  readonly isMended: boolean;
}

export interface LastRecoveryRecords {
  /** Returns the names that were forgotten to make room. */
  set(record: LastRecoveryRecord): readonly string[];
  /** Oldest names first. */
  list(): LastRecoveryRecord[];
}

/** One event of the history: its type, the process it is about, and its text. */
export interface HistoryEntry {
  readonly at: Date;
  readonly type: string;
  /** The incident that it belongs to; null if it belongs to none. */
  readonly incident: number | null;
  readonly processName: string;
  /** One line. */
  readonly detail: string;
  /** The last lines of the related output, at most 5; absent if there are none. */
  readonly output?: readonly string[];
}

/** An entry that was read; `id` grows with time, null if it could not be written yet. */
export interface RecordedEntry extends HistoryEntry {
  readonly id: number | null;
}

/** Which entries to find: those that fit all that is given. */
export interface HistoryQuery {
  readonly processName?: string | undefined;
  readonly incidents?: readonly number[] | undefined;
  /** Only those that belong to an incident. */
  readonly hasIncident?: true | undefined;
  readonly types?: readonly string[] | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Only those with a lower id. */
  readonly before?: number | undefined;
  /** Only those with a higher id, and of them the oldest. */
  readonly after?: number | undefined;
  /** How many at most, 0 to 10,000: the newest, unless `after` is given. */
  readonly limit: number;
}

export interface History {
  append(entry: HistoryEntry): void;
  /** Sets how much is kept from now on. */
  keep(limits: HistoryLimits): void;
  /** The entries, newest last. */
  find(query: HistoryQuery): RecordedEntry[];
  /** How many entries belong to these incidents. */
  count(incidents: readonly number[]): number;
}

/** An incident as it is recorded. */
export interface IncidentRecord {
  /** Unique, from 1. */
  readonly id: number;
  /** The process or check that it is about. */
  readonly name: string;
  readonly by: IncidentSign;
  readonly openedAt: Date;
  /** What keeps it open. */
  readonly signs: readonly string[];
  /** The names whose events belong to it. */
  readonly names: readonly string[];
  /** null while it is open. `joined`: the incident that it belongs to from then on, if it has joined one. */
  readonly closed: { readonly at: Date; readonly how: IncidentEnd; readonly joined: number | null } | null;
}

export interface IncidentRecords {
  /** Those that are open, and the highest id ever given, 0 if there is none; undefined if that cannot be read. */
  unfinished(): { readonly open: readonly IncidentRecord[]; readonly lastId: number | undefined };
  get(id: number): IncidentRecord | undefined;
  /** Those that are open, 1,000 at most, and so many that are closed, the newest; by their ids. */
  latest(closed: number): readonly IncidentRecord[];
  /** The ids of the incidents that have joined this one. */
  joinedTo(id: number): readonly number[];
  /** Replaces an earlier record with the same id. */
  set(incident: IncidentRecord): void;
}

/**
 * What lasts for a while. `run`: the daemon lives; `store`: the alarm store is unknown; `known`: a process has a section; `down`, `alarm`:
 * its incident, which a detector has found, or which only the alarm store tells; `held`: a hold; `ok`, `failing`: the state of a check.
 */
export type SpanKind = 'run' | 'store' | 'known' | 'down' | 'alarm' | 'held' | 'ok' | 'failing';

/** A span of time in which something was so. Times are wall clock, in milliseconds. */
export interface Span {
  readonly kind: SpanKind;
  /** The process or check; '' if it concerns all. */
  readonly name: string;
  readonly from: number;
  /** null: it lasts. */
  readonly to: number | null;
}

/** What was so from when to when, for 400 days at most. What it does not know any more is in no `run`. */
export interface Timeline {
  /** A life of the daemon begins. It lasts until the last write that follows. */
  startLife(at: Date): void;
  /** The daemon lives: writes so at most once a minute. Nothing before `startLife`. */
  beat(at: Date): void;
  /** Begins a span, unless one of that kind and name lasts; a hold is replaced. `until`: when it ends by itself. */
  begin(
    kind: SpanKind,
    name: string,
    at: Date,
    more?: { readonly until?: Date | null; readonly incident?: number | null },
  ): void;
  /** Ends the span of that kind and name, if one lasts. */
  end(kind: SpanKind, name: string, at: Date): void;
  /** Ends the spans of an incident, or gives them to the one that it has joined. */
  endIncident(id: number, at: Date, joined: number | null): void;
  /** Ends the spans of all other incidents: nobody else would. */
  keepIncidents(ids: ReadonlySet<number>, at: Date): void;
  /** The names of which a span of that kind lasts. */
  lasting(kind: SpanKind): readonly string[];
  /** The spans that have not ended before `since`, of these names or of all. */
  find(since: Date, names?: readonly string[]): readonly Span[];
}

/** What one look of a check has found. */
export interface CheckResultRecord {
  /** The check, or CHECK/PART. */
  readonly name: string;
  /** When the look ended. */
  readonly at: Date;
  readonly kind: 'ok' | 'failing' | 'unknown';
  /** One line; empty if it is ok. */
  readonly reason: string;
  /** Whole milliseconds. */
  readonly durationMs: number;
  /** Its process was on hold. */
  readonly isHeld: boolean;
}

/** What the looks of a check come to in a while that begins at a multiple of its length, in UTC. */
export interface Rollup {
  readonly name: string;
  readonly sizeMs: number;
  readonly from: Date;
  readonly count: number;
  readonly failed: number;
  readonly unknown: number;
  readonly held: number;
  /** How long the looks took. */
  readonly minMs: number;
  readonly meanMs: number;
  readonly maxMs: number;
}

export interface Results {
  /** Written with what is written anyway: within a minute while the daemon lives. */
  add(result: CheckResultRecord): void;
  /** Sets how much is kept from now on. */
  keep(limits: HistoryLimits): void;
  /** The newest of that check or part, newest last. */
  last(name: string, count: number): readonly CheckResultRecord[];
  /** The rollups of 5 minutes, an hour or a day (UTC) of that check or part that begin at `since` or later, oldest first. */
  rollups(name: string, sizeMs: number, since: Date): readonly Rollup[];
}
