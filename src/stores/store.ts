import type { ProcessRow } from '../core/alarm.ts';
import type { SectionReader } from '../core/config.ts';
import type { RowScope } from './row-scope.ts';

/**
 * The alarm store: STATUS_PROCESS ⋈ PROCESE. The hub and the truth. No call sees or changes a row that is not ours (RowScope). Every
 * question to the database ends within the configured deadline; every fault is a StoreError (core/errors.ts) whose `fault` says what
 * may be done about it. Calls may overlap. What failed is tried again by the caller alone, but for another host, a lock, and tables that
 * have changed.
 */
export interface AlarmStore {
  /** Where the store is, for people: `mysql 10.0.0.5:3306/v_process_monitor`, `sqlite /var/lib/…`. Never a secret. */
  readonly description: string;
  /** Milliseconds that a read may spend on a host that hangs before it asks another one; absent where there is no other. */
  readonly failoverMs?: number | undefined;
  /** The rows in alarm (`alarma = 1 AND sound = 0`), at most MOST_ALARMS. `first`: names whose rows are taken before others. */
  readAlarms(first?: readonly string[]): Promise<AlarmsRead>;
  /** One row as it stands now, in alarm or not; undefined where there is none. `ambiguous`: several rows have that id. */
  readProcess(processId: string): Promise<ProcessRow | 'ambiguous' | undefined>;
  /** The rows of that exact name (compared as bytes), ordered by process_id; [] where there is none. */
  findProcesses(processName: string): Promise<ProcessRow[]>;
  /**
   * Where that name or id stands if no row of ours has it (findProcesses, readProcess): in one of the two tables alone. Undefined: in
   * neither.
   */
  findHalf(nameOrId: string): Promise<HalfRow | undefined>;
  /** The names of all rows, each once, at most `limit`. */
  listNames(limit: number): Promise<string[]>;
  /**
   * Clears the alarm that was read as `seen`: `alarma = 0` and ` - Restarted at YYYY-MM-DD HH:MM:SS` (local time of `restartedAt`)
   * at the end of notes, in the place of an earlier one; where the column is too small for both, what was there before is cut, at a
   * character. Only while the row is still as `seen` (alarma = 1, sound = 0, notes equal as bytes). `changed`: somebody wrote to the
   * row meanwhile and nothing was done; `ambiguous`: several rows have that id, and nothing was done.
   */
  clearAlarm(seen: ProcessRow, restartedAt: Date): Promise<'cleared' | 'changed' | 'ambiguous'>;
  /**
   * Marks a row as in alarm (`alarma = 1, sound = 0`) with `notes` where given, else its notes stay. `missing`: no such row
   * in STATUS_PROCESS; `ambiguous`: several, and nothing was done. Raising an alarm that stands already changes only the notes.
   */
  raiseAlarm(processId: string, notes: string | undefined): Promise<'raised' | 'missing' | 'ambiguous'>;
  /** Ends an alarm on an operator's word (`alarma = 0`), whatever its notes, which stay unless given. */
  dropAlarm(processId: string, notes: string | undefined): Promise<'dropped' | 'missing' | 'ambiguous'>;
  /** Looks at server, schema and privileges without changing anything: what `check-config --database` prints. */
  inspect(): Promise<StoreReport>;
  /** Lets everything go, in-flight calls included, within a second or so. Idempotent. */
  close(): Promise<void>;
}

/**
 * What lacks its other half. `no_status`: the name stands in PROCESE, with the first of its ids, and STATUS_PROCESS has no row of ours for
 * them; `no_status_of_id`: the same of an id of which no host has a row, with its name; `no_name`: STATUS_PROCESS has a row of
 * that id, and PROCESE none.
 */
export type HalfRow =
  | { readonly kind: 'no_status'; readonly processIds: readonly string[] }
  | { readonly kind: 'no_status_of_id'; readonly processName: string }
  | { readonly kind: 'no_name' };

/** Of half a row so many ids are told. */
export const HALF_IDS = 5;

/** So many alarms are taken at once: more are beyond any machine's processes. */
export const MOST_ALARMS = 10_000;

/** Who is in alarm. */
export interface AlarmsRead {
  /** Ordered by process_id. */
  readonly rows: readonly ProcessRow[];
  /** How many more are in alarm. */
  readonly leftOut: number;
  /** Names of rows in alarm that are left alone because others share their process_id: whether they are in alarm is not known. */
  readonly doubtful: readonly string[];
  /** What is odd about tables or rows, a line each: which rows are left alone, and why. */
  readonly remarks: readonly string[];
}

/** What a store says of itself. */
export interface StoreReport {
  /** Server or library and version: `MariaDB 10.11.14`, `SQLite 3.51.0`. */
  readonly server: string;
  /** Rows of the join, and how many rows are in alarm, those without a name too. */
  readonly processes: number;
  readonly alarms: number;
  /** Whether UPDATE of alarma and notes is allowed; null where it cannot be told. */
  readonly canClear: boolean | null;
  /** Bytes or characters that `notes` holds, for people (`TEXT, 65535 bytes`). */
  readonly notes: string;
  /** Faults and cautions, a line each (a missing index, a read-only server). */
  readonly remarks: readonly string[];
}

/** What each store kind gives the table in index.ts. */
export interface StoreDefinition<Options> {
  /** Reads the `[database]` keys of this kind. Problems go to the reader. */
  parse(section: SectionReader): Options;
  /** AlarmStore.description before anything is opened. */
  describe(options: Options): string;
  /** Loads the driver; the first call connects. `warn` hears, in one line and once, of what works and may not for long. */
  open(options: Options, scope: RowScope, warn: (text: string) => void): Promise<AlarmStore>;
  /** The same for all but the daemon: neither a file nor a table is made; absent: `open` makes none. */
  openExisting?(options: Options, scope: RowScope, warn: (text: string) => void): Promise<AlarmStore>;
}
