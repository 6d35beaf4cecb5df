import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessRow } from '../core/alarm.ts';
import { errorMessage, StoreError } from '../core/errors.ts';
import { bytesOf, textOf } from './exact-text.ts';
import { restartNote } from './notes.ts';
import type { SqliteOptions } from './sqlite-options.ts';
import type { AlarmStore, StoreReport } from './store.ts';

/** Both tables of seed 000 and the index of the poll, where they are missing. */
export function createSchema(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS PROCESE (process_id INTEGER PRIMARY KEY, process_name VARCHAR(255));
    CREATE TABLE IF NOT EXISTS STATUS_PROCESS (process_id INTEGER PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT);
    CREATE INDEX IF NOT EXISTS alarm_poll ON STATUS_PROCESS (alarma, sound, process_id);`);
}

/** How long one call may block the loop while another program holds the lock; then it waits without blocking. */
const BLOCKING_MS = 20;
const RETRY_MS = 25;

const ROW = `p.process_id, CAST(p.process_name AS BLOB) AS process_name, s.alarma, s.sound, CAST(s.notes AS BLOB) AS notes
  FROM STATUS_PROCESS s JOIN PROCESE p ON p.process_id = s.process_id`;

/** The embedded store: one file, which other programs may write to meanwhile (WAL). */
export class SqliteStore implements AlarmStore {
  readonly description: string;
  readonly #options: SqliteOptions;
  #database: DatabaseSync | undefined;
  #closed = false;

  constructor(options: SqliteOptions) {
    this.#options = options;
    this.description = `sqlite ${options.path}`;
  }

  readAlarms(): Promise<ProcessRow[]> {
    return this.#rows('WHERE s.alarma = 1 AND s.sound = 0 ORDER BY p.process_id');
  }

  async readProcess(processId: number): Promise<ProcessRow | undefined> {
    return (await this.#rows('WHERE s.process_id = ?', processId))[0];
  }

  findProcesses(processName: string): Promise<ProcessRow[]> {
    return this.#rows('WHERE CAST(p.process_name AS BLOB) = ? ORDER BY p.process_id', bytesOf(processName));
  }

  listProcesses(): Promise<ProcessRow[]> {
    return this.#rows('ORDER BY p.process_id');
  }

  async clearAlarm(seen: ProcessRow, restartedAt: Date): Promise<'cleared' | 'changed'> {
    const notes = `${seen.notes ?? ''}${restartNote(restartedAt)}`;
    const changed = await this.#write(
      'UPDATE STATUS_PROCESS SET alarma = 0, notes = CAST(? AS TEXT) WHERE process_id = ? AND alarma = 1 AND sound = 0 AND CAST(notes AS BLOB) IS ?',
      bytesOf(notes),
      seen.processId,
      seen.notes === null ? null : bytesOf(seen.notes),
    );
    return changed > 0 ? 'cleared' : 'changed';
  }

  async raiseAlarm(processId: number, notes: string | undefined): Promise<'raised' | 'missing'> {
    return (await this.#set(processId, 'alarma = 1, sound = 0', notes)) > 0 ? 'raised' : 'missing';
  }

  async dropAlarm(processId: number, notes: string | undefined): Promise<'dropped' | 'missing'> {
    return (await this.#set(processId, 'alarma = 0', notes)) > 0 ? 'dropped' : 'missing';
  }

  async inspect(): Promise<StoreReport> {
    return this.#attempt((database) => {
      const one = (sql: string): Record<string, unknown> => database.prepare(sql).get() as Record<string, unknown>;
      const { processes, alarms } = one(
        'SELECT count(*) AS processes, coalesce(sum(s.alarma = 1 AND s.sound = 0), 0) AS alarms FROM STATUS_PROCESS s JOIN PROCESE p ON p.process_id = s.process_id',
      );
      const { version } = one('SELECT sqlite_version() AS version');
      return {
        server: `SQLite ${version}`,
        processes: Number(processes),
        alarms: Number(alarms),
        canClear: true,
        notes: 'TEXT, kept to 65535 bytes',
        remarks: [],
      };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#letGo();
  }

  #set(processId: number, change: string, notes: string | undefined): Promise<number> {
    if (notes === undefined) return this.#write(`UPDATE STATUS_PROCESS SET ${change} WHERE process_id = ?`, processId);
    return this.#write(`UPDATE STATUS_PROCESS SET ${change}, notes = ? WHERE process_id = ?`, notes, processId);
  }

  #rows(where: string, ...values: SQLInputValue[]): Promise<ProcessRow[]> {
    return this.#attempt((database) =>
      database
        .prepare(`SELECT ${ROW} ${where}`)
        .all(...values)
        .map(rowOf),
    );
  }

  #write(sql: string, ...values: SQLInputValue[]): Promise<number> {
    return this.#attempt((database) => Number(database.prepare(sql).run(...values).changes));
  }

  /** Runs `call` until the file is not locked or the deadline is over; the loop goes on between two tries. */
  async #attempt<T>(call: (database: DatabaseSync) => T): Promise<T> {
    const end = performance.now() + this.#options.queryTimeoutMs;
    for (;;) {
      if (this.#closed) throw new StoreError('unreachable', `${this.description}: the store is closed`);
      try {
        return call(this.#open());
      } catch (error) {
        const fault = faultOf(error);
        if (fault !== 'busy' || performance.now() > end) {
          // The file may have been replaced or mended meanwhile: the next call opens it anew.
          this.#letGo();
          throw error instanceof StoreError
            ? error
            : new StoreError(fault, `${this.description}: ${errorMessage(error)}`, error);
        }
      }
      await delay(RETRY_MS);
    }
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    const folder = dirname(this.#options.path);
    if (!existsSync(folder)) throw new StoreError('unreachable', `${this.description}: the folder ${folder} does not exist`);
    const database = new DatabaseSync(this.#options.path, { timeout: BLOCKING_MS });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      createSchema(database);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }

  #letGo(): void {
    const database = this.#database;
    this.#database = undefined;
    try {
      database?.close();
    } catch {
      // A file that is damaged may refuse even this.
    }
  }
}

function rowOf(row: Record<string, unknown>): ProcessRow {
  const text = (value: unknown): string | null => (value instanceof Uint8Array ? textOf(value) : null);
  return {
    processId: Number(row.process_id),
    processName: text(row.process_name),
    alarma: row.alarma === 1,
    sound: row.sound === 1,
    notes: text(row.notes),
  };
}

/** Result codes of sqlite3 (https://sqlite.org/rescode.html); node:sqlite gives them as `errcode`. */
function faultOf(error: unknown): StoreError['fault'] {
  if (error instanceof StoreError) return error.fault;
  const code = Number((error as { errcode?: unknown }).errcode ?? 0) & 0xff;
  if (code === 5 || code === 6) return 'busy';
  if (code === 8) return 'read_only';
  if (code === 3 || code === 23) return 'denied';
  if (code === 11 || code === 26 || code === 1) return 'schema';
  if (code === 10 || code === 13 || code === 14) return 'unreachable';
  return 'failed';
}
