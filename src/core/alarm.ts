// Alarms: rows of the store and kept alarms, and the process that an alarm is about.
/** The notes of a row as far as they are read; two are equal only if every byte of `notes` is equal. */
export interface SeenNotes {
  /** The first 1,024 characters of `notes`, exactly as stored; null if the column is NULL. */
  readonly notes: string | null;
  /** Represents all of longer notes; opaque, each store makes its own. Null if `notes` is complete. */
  readonly notesDigest: string | null;
}

/** True if the notes behind both are equal. */
export function isSameNotes(one: SeenNotes, other: SeenNotes): boolean {
  return one.notes === other.notes && one.notesDigest === other.notesDigest;
}

/** One row of STATUS_PROCESS ⋈ PROCESE, the tables of the bash service. */
export interface ProcessRow extends SeenNotes {
  /** `process_id`, the key of both tables, in the database's text form: a number of any size, or a text. */
  readonly processId: string;
  /**
   * `process_name`; null if the column is NULL, or if PROCESE has no such row. Neither unique nor clean: it is data, never
   * code.
   */
  readonly processName: string | null;
  /** `alarma` = 1: somebody says the process is in alarm. */
  readonly alarma: boolean;
  /** `sound` = 1: an operator has acknowledged the alarm; such a row is left alone. */
  readonly sound: boolean;
  /** A flag that decides it is not a number, so whether the row is in alarm is not known. Absent if it is known. */
  readonly inDoubt?: true;
}

/** True for a row that has to be healed: `alarma = 1`, `sound = 0`. */
export function isInAlarm(row: ProcessRow): boolean {
  return row.alarma && !row.sound;
}

/**
 * What a recovery is meant to end. `key` identifies the alarm: it is the same in every run of the daemon, and no other alarm
 * has it.
 */
export type Alarm = StoredAlarm | KeptAlarm;

/** A row of the store, as last read; it may no longer be in alarm. */
export interface StoredAlarm extends ProcessRow {
  readonly source: 'store';
  readonly key: string;
}

/** A kept alarm, which is in no row because the store did not accept it. At most one per name. */
export interface KeptAlarm extends SeenNotes {
  readonly source: 'kept';
  readonly key: string;
  readonly processName: string;
}

/** The alarm of `row`. */
export function storedAlarm(row: ProcessRow): StoredAlarm {
  return { ...row, source: 'store', key: storedKey(row.processId) };
}

const ROW = 'row ';

/** Alarm.key of the row with that id. */
export function storedKey(processId: string): string {
  return `${ROW}${processId}`;
}

/** ProcessRow.processId of the row that an alarm is about; undefined for a kept alarm. */
export function processIdOf({ source, key }: Pick<Alarm, 'source' | 'key'>): string | undefined {
  return source === 'store' ? key.slice(ROW.length) : undefined;
}

/** The kept alarm of the process with that name. */
export function keptAlarm(processName: string, notes: string): KeptAlarm {
  return { source: 'kept', key: keptKey(processName), processName, notes, notesDigest: null };
}

/** Alarm.key of the kept alarm of the process with that name. */
export function keptKey(processName: string): string {
  return `kept ${processName}`;
}

/** True while the alarm is active; a kept alarm is active as long as it is kept. */
export function stands(alarm: Alarm): boolean {
  return alarm.source === 'kept' || isInAlarm(alarm);
}

/** False if nothing says which process is meant. */
export function hasName<T extends { readonly processName: string | null }>(alarm: T): alarm is T & { processName: string } {
  return alarm.processName !== null && alarm.processName.trim() !== '';
}

/** The process that a recovery is for, as commands and strategies see it. */
export interface ManagedProcess {
  /** ProcessRow.processId of its row; null if it has none. */
  readonly processId: string | null;
  /** The name in the database; never empty. */
  readonly processName: string;
  /** `system_name`: the real name of the unit or program; the name in the database if it is not configured. */
  readonly systemName: string;
  /** True if `system_name` is configured: only then may it contain a `/`. */
  readonly systemNameConfigured: boolean;
}
