/** The notes of a row as far as they are read: of two that are the same, every byte of `notes` is. */
export interface SeenNotes {
  /** The first 4,096 characters of `notes`, exactly as stored; null where the column is NULL. */
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
  /** `process_id`, the key of both tables. */
  readonly processId: number;
  /** `process_name`; null where the column is NULL. Not unique, not clean: it is data, never code. */
  readonly processName: string | null;
  /** `alarma` = 1: somebody says the process is in alarm. */
  readonly alarma: boolean;
  /** `sound` = 1: an operator acknowledged the alarm; such a row is left alone. */
  readonly sound: boolean;
}

/** A row that is to be healed: `alarma = 1`, `sound = 0`. */
export function isInAlarm(row: ProcessRow): boolean {
  return row.alarma && !row.sound;
}

/** Who a recovery is for, as commands and strategies see it. */
export interface ManagedProcess {
  readonly processId: number;
  /** The database's name; never empty. */
  readonly processName: string;
  /** `system_name`: the unit's or program's real name; the database's name where none is configured. */
  readonly systemName: string;
  /** True where `system_name` stands in the configuration: only then may it hold a `/`. */
  readonly systemNameConfigured: boolean;
}
