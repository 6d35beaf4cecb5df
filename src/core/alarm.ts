/** The notes of a row as far as they are read: of two that are the same, every byte of `notes` is. */
export interface SeenNotes {
  /** The first 1,024 characters of `notes`, exactly as stored; null where the column is NULL. */
  readonly notes: string | null;
  /** Stands for the whole of notes that are longer, opaque: each store makes its own; null where `notes` is all there is. */
  readonly notesDigest: string | null;
}

/** True where the notes behind both are equal. */
export function isSameNotes(one: SeenNotes, other: SeenNotes): boolean {
  return one.notes === other.notes && one.notesDigest === other.notesDigest;
}

/** One row of STATUS_PROCESS ⋈ PROCESE (seed 000). */
export interface ProcessRow extends SeenNotes {
  /** `process_id`, the key of both tables, as the database writes it: a number of any size, a text. */
  readonly processId: string;
  /** `process_name`; null where the column is NULL, or PROCESE has no such row. Not unique, not clean: it is data, never code. */
  readonly processName: string | null;
  /** `alarma` = 1: somebody says the process is in alarm. */
  readonly alarma: boolean;
  /** `sound` = 1: an operator acknowledged the alarm; such a row is left alone. */
  readonly sound: boolean;
  /** A flag on which that hangs is no number: whether it is in alarm is not known. Absent if it is. */
  readonly inDoubt?: true;
}

/** A row that is to be healed: `alarma = 1`, `sound = 0`. */
export function isInAlarm(row: ProcessRow): boolean {
  return row.alarma && !row.sound;
}

/** What a recovery is to end. `key`: the same text for the same alarm's place, and for no other's, in every life of the daemon. */
export type Alarm = StoredAlarm | KeptAlarm;

/** A row of the store, as last read; it may have left alarm since. */
export interface StoredAlarm extends ProcessRow {
  readonly source: 'store';
  readonly key: string;
}

/** An alarm of our own that stands in no row: the store could not take it. At most one of a name. */
export interface KeptAlarm extends SeenNotes {
  readonly source: 'kept';
  readonly key: string;
  readonly processName: string;
}

/** The alarm that stands in `row`. */
export function storedAlarm(row: ProcessRow): StoredAlarm {
  return { ...row, source: 'store', key: storedKey(row.processId) };
}

/** Alarm.key of the row with that id. */
export function storedKey(processId: string): string {
  return `row ${processId}`;
}

/** The alarm that we keep ourselves for the process of that name. */
export function keptAlarm(processName: string, notes: string): KeptAlarm {
  return { source: 'kept', key: keptKey(processName), processName, notes, notesDigest: null };
}

/** Alarm.key of what we keep for the process of that name. */
export function keptKey(processName: string): string {
  return `kept ${processName}`;
}

/** True while the alarm is one: what we keep ourselves is, as long as it is kept. */
export function stands(alarm: Alarm): boolean {
  return alarm.source === 'kept' || isInAlarm(alarm);
}

/** False if nothing says which process is meant. */
export function hasName<T extends { readonly processName: string | null }>(alarm: T): alarm is T & { processName: string } {
  return alarm.processName !== null && alarm.processName.trim() !== '';
}

/** Who a recovery is for, as commands and strategies see it. */
export interface ManagedProcess {
  /** ProcessRow.processId of its row; null if it has none. */
  readonly processId: string | null;
  /** The database's name; never empty. */
  readonly processName: string;
  /** `system_name`: the unit's or program's real name; the database's name where none is configured. */
  readonly systemName: string;
  /** True where `system_name` stands in the configuration: only then may it hold a `/`. */
  readonly systemNameConfigured: boolean;
}
