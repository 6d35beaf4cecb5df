import type { ProcessRow } from '../core/alarm.ts';
import type { SectionReader } from '../core/config.ts';

/**
 * The alarm store: STATUS_PROCESS ⋈ PROCESE. The hub and the truth. Every call ends within the configured deadline; every
 * fault is a StoreError (core/errors.ts) whose `fault` says what may be done about it. Calls may overlap.
 * No store retries on its own beyond trying each configured host once: when to try again is the caller's decision.
 */
export interface AlarmStore {
  /** Where the store is, for people: `mysql 10.0.0.5:3306/v_process_monitor`, `sqlite /var/lib/…`. Never a secret. */
  readonly description: string;
  /** The rows in alarm (`alarma = 1 AND sound = 0`), one JOIN query, ordered by process_id. */
  readAlarms(): Promise<ProcessRow[]>;
  /** One row as it stands now, in alarm or not; undefined where there is none. */
  readProcess(processId: number): Promise<ProcessRow | undefined>;
  /** The rows of that exact name (compared as bytes), ordered by process_id; [] where there is none. */
  findProcesses(processName: string): Promise<ProcessRow[]>;
  /** All rows of the join, ordered by process_id. */
  listProcesses(): Promise<ProcessRow[]>;
  /**
   * Clears the alarm that was read as `seen`: `alarma = 0` and ` - Restarted at YYYY-MM-DD HH:MM:SS` (local time of `restartedAt`)
   * appended to notes, NULL-safe, cut on the left to what the column holds; only while the row is still as `seen` (alarma = 1,
   * sound = 0, notes equal as bytes). `changed`: somebody wrote to the row meanwhile and nothing was done.
   */
  clearAlarm(seen: ProcessRow, restartedAt: Date): Promise<'cleared' | 'changed'>;
  /**
   * Marks a row as in alarm (`alarma = 1, sound = 0`) with `notes` where given, else its notes stay. `missing`: no such row
   * in STATUS_PROCESS. Raising an alarm that stands already changes only the notes.
   */
  raiseAlarm(processId: number, notes: string | undefined): Promise<'raised' | 'missing'>;
  /** Ends an alarm on an operator's word (`alarma = 0`), whatever its notes, which stay unless given. */
  dropAlarm(processId: number, notes: string | undefined): Promise<'dropped' | 'missing'>;
  /** Looks at server, schema and privileges without changing anything: what `check-config --database` prints. */
  inspect(): Promise<StoreReport>;
  /** Lets everything go, in-flight calls included, within a second or so. Idempotent. */
  close(): Promise<void>;
}

/** What a store says of itself. */
export interface StoreReport {
  /** Server or library and version: `MariaDB 10.11.14`, `SQLite 3.51.0`. */
  readonly server: string;
  /** Rows of the join, and how many of them are in alarm. */
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
  /** Reads the `[database]` keys of this kind; `required`: it is the driver in use, so that what it cannot do without is missed. */
  parse(section: SectionReader, required: boolean): Options;
  /** AlarmStore.description before anything is opened. */
  describe(options: Options): string;
  /** Loads the driver; the first call connects. `warn` hears, in one line and once, of what works and may not for long. */
  open(options: Options, warn: (text: string) => void): Promise<AlarmStore>;
}
