// The database file of the embedded store.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, lstatSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError } from '../../core/errors.ts';
import { sqliteFault } from './faults.ts';
import { hasIndex, isView } from './tables.ts';

/** Creates the two tables of the bash service, and the indexes of the poll, if they are missing; a view stays as it is. */
export function createSchema(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS PROCESE (process_id INTEGER PRIMARY KEY, process_name VARCHAR(255));
    CREATE TABLE IF NOT EXISTS STATUS_PROCESS (process_id INTEGER PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT);`);
  if (!isView(database, 'STATUS_PROCESS'))
    database.exec('CREATE INDEX IF NOT EXISTS alarm_poll ON STATUS_PROCESS (alarma, sound, process_id)');
  for (const table of ['STATUS_PROCESS', 'PROCESE']) {
    // Without an index SQLite reads the whole table for each row, or builds an index for each portion.
    if (!isView(database, table) && !hasIndex(database, table, 'process_id'))
      database.exec(`CREATE INDEX IF NOT EXISTS key_of_${table} ON ${table} (process_id)`);
  }
}

/** One database file, opened when it is needed, and opened again if another file has taken its place. */
export class SqliteFile {
  readonly #path: string;
  readonly #use: 'create' | 'existing';
  #opened: { readonly database: DatabaseSync; readonly identity: string | undefined } | undefined;
  #wasOpen = false;

  /** `existing`: neither the file nor a table is created. */
  constructor(path: string, use: 'create' | 'existing' = 'create') {
    this.#path = path;
    this.#use = use;
  }

  /**
   * The open database. A missing file is created, unless the use is `existing`, or the file was open before: an empty file in
   * its place would have no alarm. Throws a StoreError, or what node:sqlite throws.
   */
  open(): DatabaseSync {
    if (this.#opened !== undefined && this.#opened.identity === identityOf(this.#path)) return this.#opened.database;
    // The file is gone or replaced: nobody else sees the one that we hold, so its alarms never change.
    this.close();
    const folder = dirname(this.#path);
    if (!existsSync(folder)) throw new StoreError('unreachable', `sqlite ${this.#path}: the folder ${folder} does not exist`);
    refuseLinkOfOthers(this.#path);
    const makes = this.#use === 'create';
    if (makes && !this.#wasOpen) createEmpty(this.#path);
    else if (!existsSync(this.#path)) throw new StoreError('unreachable', `sqlite ${this.#path}: ${this.#missing()}`);
    const database = makes ? openDatabase(this.#path) : openExisting(this.#path);
    this.#opened = { database, identity: identityOf(this.#path) };
    this.#wasOpen = true;
    return database;
  }

  #missing(): string {
    return this.#wasOpen
      ? 'the file is gone (restore it; the daemon creates an empty one when it starts)'
      : 'there is no such file (the daemon creates it when it starts)';
  }

  /** Closes the file; `open` opens it again. */
  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    try {
      opened?.database.close();
    } catch {
      // A damaged file may refuse even to be closed.
    }
  }
}

/** Who may write to the file or its folder besides root and our own user, for people; undefined if nobody may. */
export function writableByOthers(path: string): string | undefined {
  const open = [path, dirname(path)].filter((one) => {
    const stat = statSync(one, { throwIfNoEntry: false });
    return stat !== undefined && (!isOurs(stat.uid) || (stat.mode & 0o022) !== 0);
  });
  if (open.length === 0) return undefined;
  return `other users can write to ${open.join(' and ')}: they can raise and clear alarms, and stop this daemon`;
}

/** If others may write to the folder, a link of theirs would make root write to any file. */
function refuseLinkOfOthers(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() && !isOurs(stat.uid))
    throw new StoreError(
      'denied',
      `sqlite ${path}: this is a symbolic link of user ${stat.uid}, which is not followed (expected a file)`,
    );
}

/** Without this SQLite would create the target of a dangling link. */
function createEmpty(path: string): void {
  try {
    // Whoever may read it can lock it.
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // The file exists, or cannot be created: SQLite will report it.
  }
}

function isOurs(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** A database that prepares each statement once: every poll runs the same statements again. */
class PreparingOnce extends DatabaseSync {
  readonly #statements = new Map<string, StatementSync>();

  override prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
    const statement = super.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** The statements that ask for names differ by their number of names. */
const MOST_STATEMENTS = 100;

/** How long one call may block the loop while another program holds the lock. */
const BLOCKING_MS = 20;

function openDatabase(path: string): DatabaseSync {
  const database = connect(path);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    createSchema(database);
  } catch (error) {
    // A read-only file can still be polled.
    if (sqliteFault(error) !== 'read_only') {
      database.close();
      throw error;
    }
  }
  return database;
}

/**
 * Not `readOnly`, because we also ask whether the file accepts writes. In this mode SQLite does not create a file that goes
 * missing.
 */
function openExisting(path: string): DatabaseSync {
  const place = pathToFileURL(path);
  place.searchParams.set('mode', 'rw');
  const database = connect(place);
  try {
    const find = database.prepare("SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND upper(name) = ?");
    const missing = ['PROCESE', 'STATUS_PROCESS'].find((table) => find.get(table) === undefined);
    if (missing === undefined) return database;
    throw new StoreError('schema', `sqlite ${path}: there is no table ${missing} (the daemon creates it when it starts)`);
  } catch (error) {
    database.close();
    throw error;
  }
}

function connect(place: string | URL): DatabaseSync {
  const database = new PreparingOnce(place, { timeout: BLOCKING_MS });
  database.function('sha256', { deterministic: true }, (bytes) =>
    bytes instanceof Uint8Array ? createHash('sha256').update(bytes).digest('hex') : null,
  );
  return database;
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
