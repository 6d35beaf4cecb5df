import type { ProcessRow } from '../core/alarm.ts';
import type { SectionReader } from '../core/config.ts';
import type { RowScope } from './row-scope.ts';

/**
 * The alarm store: STATUS_PROCESS ⋈ PROCESE, the source of truth. No call sees or changes a row that is not ours (RowScope).
 * Every query ends within the configured deadline; every fault is a StoreError (core/errors.ts) whose `fault` says what may be
 * done about it. Calls may overlap. Only the caller repeats failed calls; the store itself moves to another host, waits for a
 * lock, and repeats a call when the tables have changed.
 */
export interface AlarmStore {
  /** Where the store is, for people: `mysql 10.0.0.5:3306/v_process_monitor`, `sqlite /var/lib/…`. Never contains a secret. */
  readonly description: string;
  /** How many milliseconds a read may spend on a host that hangs before it asks another one; absent if there is no other. */
  readonly failoverMs?: number | undefined;
  /** The rows in alarm (`alarma = 1 AND sound = 0`), at most MOST_ALARMS. `first`: names whose rows take precedence. */
  readAlarms(first?: readonly string[]): Promise<AlarmsRead>;
  /** One row as it is now, in alarm or not; undefined if there is none. `ambiguous`: several rows have that id. */
  readProcess(processId: string): Promise<ProcessRow | 'ambiguous' | undefined>;
  /** The rows of that exact name (compared as bytes), ordered by process_id; [] if there is none. */
  findProcesses(processName: string): Promise<ProcessRow[]>;
  /**
   * In which of the two tables that name or id exists, if no row of ours has it (findProcesses, readProcess). Undefined: in
   * neither.
   */
  findHalf(nameOrId: string): Promise<HalfRow | undefined>;
  /** The distinct names of all rows, at most `limit`. */
  listNames(limit: number): Promise<string[]>;
  /**
   * Clears the alarm that was read as `seen`: sets `alarma = 0` and puts ` - Restarted at YYYY-MM-DD HH:MM:SS` (local time of
   * `restartedAt`) at the end of notes, in place of an earlier one. If the column is too small for both, the earlier text is
   * cut, between characters. It does so only while the row is still as `seen` (alarma = 1, sound = 0, notes equal as bytes).
   * `changed`: somebody wrote to the row meanwhile, and nothing was done; `ambiguous`: several rows have that id, and nothing
   * was done.
   */
  clearAlarm(seen: ProcessRow, restartedAt: Date): Promise<'cleared' | 'changed' | 'ambiguous'>;
  /**
   * Marks a row as in alarm (`alarma = 1, sound = 0`), with `notes` if given; otherwise its notes stay. `missing`:
   * STATUS_PROCESS has no such row; `ambiguous`: it has several, and nothing was done. If the row is in alarm already, only the
   * notes change.
   */
  raiseAlarm(processId: string, notes: string | undefined): Promise<'raised' | 'missing' | 'ambiguous'>;
  /**
   * The same, only if the row is not in alarm and not acknowledged (`sound = 0`): nobody's notes are replaced. `standing`: it is, and
   * nothing was done.
   */
  raiseNewAlarm(processId: string, notes: string): Promise<'raised' | 'standing' | 'missing' | 'ambiguous'>;
  /** Ends an alarm by order of an operator (`alarma = 0`), whatever its notes, which stay unless `notes` is given. */
  dropAlarm(processId: string, notes: string | undefined): Promise<'dropped' | 'missing' | 'ambiguous'>;
  /** Inspects server, schema and privileges without changing anything, for `check-config --database`. */
  inspect(): Promise<StoreReport>;
  /** Closes all connections, with calls in progress, within about a second. Idempotent. */
  close(): Promise<void>;
}

/**
 * A name or id that exists in one table only. `no_status`: PROCESE has the name, with the first of its ids, and STATUS_PROCESS
 * has no row of ours for them; `no_status_of_id`: PROCESE has the id, with its name, and STATUS_PROCESS has no row of it for
 * any host; `no_name`: STATUS_PROCESS has a row of that id, and PROCESE has none.
 */
export type HalfRow =
  | { readonly kind: 'no_status'; readonly processIds: readonly string[] }
  | { readonly kind: 'no_status_of_id'; readonly processName: string }
  | { readonly kind: 'no_name' };

/** The most ids that a HalfRow lists. */
export const HALF_IDS = 5;

/** The most alarms of one poll: no machine has as many processes to heal. */
export const MOST_ALARMS = 10_000;

/** The answer of a poll. */
export interface AlarmsRead {
  /** Ordered by process_id. */
  readonly rows: readonly ProcessRow[];
  /** How many more are in alarm. */
  readonly leftOut: number;
  /** Names of rows that are left alone because others share their process_id: whether they are in alarm is not known. */
  readonly doubtful: readonly string[];
  /** What is odd about tables or rows, a line each: which rows are left alone, and why. */
  readonly remarks: readonly string[];
}

/** What `inspect` reports. */
export interface StoreReport {
  /** Server or library and version: `MariaDB 10.11.14`, `SQLite 3.51.0`. */
  readonly server: string;
  /** The rows of the join, and the rows in alarm, including those without a name. */
  readonly processes: number;
  readonly alarms: number;
  /** Whether UPDATE of alarma and notes is allowed; null if it is not known. */
  readonly canClear: boolean | null;
  /** How many bytes or characters `notes` holds, for people (`TEXT, 65535 bytes`). */
  readonly notes: string;
  /** Faults and cautions, a line each (a missing index, a read-only server). */
  readonly remarks: readonly string[];
}

/** What each store gives the table in index.ts. */
export interface StoreDefinition<Options> {
  /** Reads the `[database]` keys of this store. Problems go to the reader. */
  parse(section: SectionReader): Options;
  /** AlarmStore.description before anything is opened. */
  describe(options: Options): string;
  /**
   * Loads the driver; the first call connects. `warn` gets each caution once, in one line: something works now but may stop
   * working.
   */
  open(options: Options, scope: RowScope, warn: (text: string) => void): Promise<AlarmStore>;
  /** The same for every program but the daemon: neither a file nor a table is created. Absent: `open` creates none. */
  openExisting?(options: Options, scope: RowScope, warn: (text: string) => void): Promise<AlarmStore>;
}
