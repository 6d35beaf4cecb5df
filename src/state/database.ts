// A SQLite database file of the daemon: opening, checking, statements and transactions.
import { closeSync, lstatSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { errorMessage } from '../core/errors.ts';
import { isOpenToOthers } from '../system/files/mode.ts';

/** The result of opening a database file. */
type OpenedDatabase =
  | { readonly kind: 'opened'; readonly database: Database }
  /** The file exists and cannot be ours: broken, of a later version, or writable by others. */
  | { readonly kind: 'damaged'; readonly reason: string }
  /** The disk does not allow it: full, read-only, no permission. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What a database file holds. */
export interface DatabaseKind {
  /** Increments with each table that is added: an earlier file gets the tables that it lacks. */
  readonly version: number;
  /** CREATE statements. */
  readonly schema: readonly string[];
  /** True: the whole file is checked when it is opened. */
  readonly isChecked: boolean;
}

/** Opens `path` for writing, or creates it (mode 0600, WAL). Never throws. */
export function openDatabase(path: string, kind: DatabaseKind): OpenedDatabase {
  let database: Database | undefined;
  try {
    const problem = createFile(path);
    if (problem !== undefined) return { kind: 'damaged', reason: problem };
    database = new Database(path, { timeout: OPEN_TIMEOUT_MS });
    const reason = database.prepareSchema(kind);
    if (reason === undefined) return { kind: 'opened', database };
    database.close();
    return { kind: 'damaged', reason };
  } catch (error) {
    database?.close();
    return { kind: isDamage(error) ? 'damaged' : 'unavailable', reason: errorMessage(error) };
  }
}

/** One connection, which prepares each statement once. Methods throw what node:sqlite throws. */
export class Database {
  #connection: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  #synchronous: 'FULL' | 'NORMAL' = 'FULL';

  /** `path` may be a file: URL with parameters of SQLite. */
  constructor(path: string | URL, options: { readonly timeout: number; readonly readOnly?: boolean }) {
    this.#connection = new DatabaseSync(path, { ...options, defensive: true });
  }

  /**
   * Checks the file and creates the tables that an earlier version did not have. Returns why the file cannot be used, or
   * undefined.
   */
  prepareSchema(kind: DatabaseKind): string | undefined {
    // Before the check, which reads the whole file: otherwise a long history stays in memory.
    this.#connection.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    const { user_version: version } = this.all('PRAGMA user_version')[0] ?? {};
    if (typeof version !== 'number' || version > kind.version) return `its version ${version} is newer than ${kind.version}`;
    if (version === 0 && this.all('SELECT 1 FROM sqlite_schema').length > 0) return "it is some other program's database";
    const [row] = kind.isChecked ? this.all('PRAGMA quick_check(1)') : [];
    if (kind.isChecked && row?.quick_check !== 'ok') return String(row?.quick_check);
    this.#connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF');
    this.#connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    if (version === kind.version) return undefined;
    this.transaction('FULL', () => this.#connection.exec([...kind.schema, `PRAGMA user_version = ${kind.version}`].join(';')));
    return undefined;
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepare(sql).run(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Record<string, SQLOutputValue>[] {
    return this.#prepare(sql).all(...values);
  }

  /** Passes the rows to `take` one by one; `take` must not write to this database. */
  each(sql: string, take: (row: Record<string, SQLOutputValue>) => void): void {
    for (const row of this.#prepare(sql).iterate()) take(row);
  }

  /**
   * Does all of `change` or nothing. `FULL`: fsynced before it returns; `NORMAL`: survives the daemon's death, but not a power
   * cut.
   */
  transaction(synchronous: 'FULL' | 'NORMAL', change: () => void): void {
    if (synchronous !== this.#synchronous) this.#connection.exec(`PRAGMA synchronous = ${synchronous}`);
    this.#synchronous = synchronous;
    this.#connection.exec('BEGIN IMMEDIATE');
    try {
      change();
      this.#connection.exec('COMMIT');
    } catch (error) {
      // Some errors have rolled it back already.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
      throw error;
    }
  }

  /** Closing the last connection removes the -wal file. Never throws. */
  close(): void {
    this.#statements.clear();
    try {
      this.#connection.close();
    } catch {
      // It is closed already, or the disk fails: there is nothing left to save.
    }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** True if the file itself is broken, and not the disk under it. Source: sqlite.org/rescode.html. */
export function isDamage(error: unknown): boolean {
  const { errcode: code = 0, message = '' } = error as { errcode?: number; message?: string };
  // The schema is not what its version says: preparing a statement fails.
  if (code === SQLITE_ERROR) return /^no such (table|column)|has no column/.test(message);
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & 0xff) || code === SQLITE_IOERR_SHORT_READ;
}

/** True if another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY;
}

/** The size of the part of the file that is in use. */
export function usedBytes(database: Database): number {
  const pragma = (name: string): number => Number(database.all(`PRAGMA ${name}`)[0]?.[name] ?? 0);
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}

/** Creates an empty file of mode 0600 if there is none. Returns why an existing file cannot be trusted, or undefined. */
export function createFile(path: string): string | undefined {
  try {
    // Never opens an existing file: closing it again would drop SQLite's locks on it (fcntl(2), advisory locks).
    closeSync(openSync(path, 'wx', 0o600));
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const stats = lstatSync(path);
  if (!stats.isFile()) return 'it is not a regular file';
  if (stats.uid !== process.geteuid?.() && stats.uid !== 0) return `it belongs to user ${stats.uid}`;
  return isOpenToOthers(stats) ? 'other users can write to it' : undefined;
}

/** The daemon reads hardly anything again, and the kernel caches the file too: 1.9 MB less with a full history. */
const CACHE_KIB = 256;
/** At the start there is time to wait. */
const OPEN_TIMEOUT_MS = 1_000;
/** Short, because the call blocks the whole daemon, and what was not written is written later. */
const BUSY_TIMEOUT_MS = 100;
const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SQLITE_IOERR_SHORT_READ = 522;
