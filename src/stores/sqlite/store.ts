import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { isSameNotes, type ProcessRow } from '../../core/alarm.ts';
import { StoreError } from '../../core/errors.ts';
import { bytesOf, textOf } from '../exact-text.ts';
import { charactersThatFit, type NotesCapacity, restartNote, seenNotes } from '../notes.ts';
import type { AlarmStore, StoreReport } from '../store.ts';
import { sqliteError, sqliteFault } from './faults.ts';
import { SqliteFile } from './file.ts';
import type { SqliteOptions } from './options.ts';

export { createSchema } from './file.ts';

/** The embedded store: one file, which other programs may write to meanwhile (WAL). */
export class SqliteStore implements AlarmStore {
  readonly description: string;
  readonly #options: SqliteOptions;
  readonly #file: SqliteFile;
  #closed = false;

  constructor(options: SqliteOptions) {
    this.#options = options;
    this.#file = new SqliteFile(options.path);
    this.description = `sqlite ${options.path}`;
  }

  readAlarms(): Promise<ProcessRow[]> {
    return this.#rows('WHERE s.alarma = 1 AND s.sound = 0 ORDER BY s.process_id');
  }

  async readProcess(processId: string): Promise<ProcessRow | undefined> {
    return (await this.#rows('WHERE s.process_id = ?', processId))[0];
  }

  findProcesses(processName: string): Promise<ProcessRow[]> {
    return this.#rows('WHERE CAST(p.process_name AS BLOB) = ? ORDER BY s.process_id', bytesOf(processName));
  }

  listProcesses(): Promise<ProcessRow[]> {
    return this.#rows('ORDER BY s.process_id');
  }

  async clearAlarm(seen: ProcessRow, restartedAt: Date): Promise<'cleared' | 'changed'> {
    const whole = await this.#wholeNotes(seen.processId);
    if (!isSameNotes(seenNotes(whole), seen)) return 'changed';
    const notes = `${textOf(whole ?? NOTHING)}${restartNote(restartedAt)}`;
    const kept = Array.from(notes)
      .slice(-charactersThatFit(notes, CAPACITY, 'right'))
      .join('');
    const changed = await this.#write(
      `UPDATE STATUS_PROCESS SET alarma = 0, notes = CAST(? AS TEXT)
       WHERE process_id = ? AND alarma = 1 AND sound = 0 AND CAST(notes AS BLOB) IS ?`,
      bytesOf(kept),
      seen.processId,
      whole,
    );
    return changed > 0 ? 'cleared' : 'changed';
  }

  async raiseAlarm(processId: string, notes: string | undefined): Promise<'raised' | 'missing'> {
    return (await this.#set(processId, 'alarma = 1, sound = 0', notes)) > 0 ? 'raised' : 'missing';
  }

  async dropAlarm(processId: string, notes: string | undefined): Promise<'dropped' | 'missing'> {
    return (await this.#set(processId, 'alarma = 0', notes)) > 0 ? 'dropped' : 'missing';
  }

  inspect(): Promise<StoreReport> {
    return this.#attempt((database) => {
      const one = (sql: string): Record<string, unknown> => database.prepare(sql).get() ?? {};
      const { processes, alarms } = one(
        `SELECT count(*) AS processes, count(*) FILTER (WHERE s.alarma = 1 AND s.sound = 0) AS alarms ${JOIN}`,
      );
      const readOnly = isReadOnly(database);
      return {
        server: `SQLite ${String(one('SELECT sqlite_version() AS version').version)}`,
        processes: Number(processes),
        alarms: Number(alarms),
        canClear: !readOnly,
        notes: `TEXT, kept to ${CAPACITY.limit} bytes`,
        remarks: readOnly ? ['the file is read-only: alarms can be read, and not cleared'] : [],
      };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#file.close();
  }

  #set(processId: string, change: string, notes: string | undefined): Promise<number> {
    if (notes === undefined) return this.#write(`UPDATE STATUS_PROCESS SET ${change} WHERE process_id = ?`, processId);
    const kept = Array.from(notes)
      .slice(0, charactersThatFit(notes, CAPACITY, 'left'))
      .join('');
    return this.#write(`UPDATE STATUS_PROCESS SET ${change}, notes = ? WHERE process_id = ?`, kept.toWellFormed(), processId);
  }

  /** Null also where there is no row: then no write finds one either. */
  #wholeNotes(processId: string): Promise<Uint8Array | null> {
    const sql = 'SELECT CAST(notes AS BLOB) AS notes FROM STATUS_PROCESS WHERE process_id = ?';
    return this.#attempt((database) => bytes(database.prepare(sql).get(processId)?.notes));
  }

  #rows(where: string, ...values: SQLInputValue[]): Promise<ProcessRow[]> {
    return this.#attempt((database) => {
      const statement = database.prepare(`${SELECT} ${where}`);
      // One number beyond 2^53 would else fail the whole poll.
      statement.setReadBigInts(true);
      // Row by row: no more than one has its whole notes in memory.
      return Array.from(statement.iterate(...values), processRow);
    });
  }

  #write(sql: string, ...values: SQLInputValue[]): Promise<number> {
    return this.#attempt((database) => Number(database.prepare(sql).run(...values).changes));
  }

  /** Runs `call` until the file is not locked or the deadline is over; the loop goes on between two tries. */
  async #attempt<T>(call: (database: DatabaseSync) => T): Promise<T> {
    const end = performance.now() + this.#options.queryTimeoutMs;
    for (;;) {
      if (this.#closed) throw new StoreError('unreachable', `${this.description}: the store was closed`);
      try {
        return call(this.#file.open());
      } catch (error) {
        if (sqliteFault(error) !== 'busy' || performance.now() > end) {
          // The file may be mended or replaced: the next call opens it anew.
          this.#file.close();
          throw sqliteError(this.description, error);
        }
      }
      await delay(RETRY_MS);
    }
  }
}

/** Pause between two tries while another program holds the lock. */
const RETRY_MS = 25;

const NOTHING = new Uint8Array();

/** As much as TEXT holds in MySQL: notes that every recovery adds to must not grow for ever. */
const CAPACITY: NotesCapacity = { unit: 'bytes', limit: 65_535, charset: 'utf8mb4', maxBytes: 4 };

const JOIN = 'FROM STATUS_PROCESS s JOIN PROCESE p ON p.process_id = s.process_id';
/** NULL is neither alarma = 1 nor sound = 0: a row in doubt is left alone. */
const SELECT = `SELECT s.process_id, CAST(p.process_name AS BLOB) AS process_name, s.alarma = 1 AS alarma, s.sound = 0 AS silent,
  CAST(s.notes AS BLOB) AS notes ${JOIN}`;

/** Takes the lock of a writer and gives it back. */
function isReadOnly(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch (error) {
    if (sqliteFault(error) !== 'read_only') throw error;
    return true;
  }
}

function processRow(row: Record<string, unknown>): ProcessRow {
  const name = bytes(row.process_name);
  return {
    processId: String(row.process_id),
    processName: name && textOf(name),
    alarma: row.alarma === 1n,
    sound: row.silent !== 1n,
    ...seenNotes(bytes(row.notes)),
  };
}

function bytes(value: unknown): Uint8Array | null {
  return value instanceof Uint8Array ? value : null;
}
