// The copy of the daemon's state on the disk.
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { counted } from '../core/text/counted.ts';
import { type Database, type DatabaseKind, isDamage, openDatabase } from './database.ts';
import { setAside } from './set-aside.ts';

/**
 * When a record reaches the disk. `fsynced`: it is on the disk when the call returns, and survives a power cut. `written`: the
 * kernel has it when the call returns, and it survives the daemon's death. `soon`: within 200 ms, or with the next write of the
 * other kinds.
 */
export type Durability = 'fsynced' | 'written' | 'soon';

/** Where tables write their records. */
export interface RecordSink {
  /** Carries out `change`, or remembers that the tables have to be written as a whole later. Never throws. */
  write(durability: Durability, change?: (database: Database) => void): void;
  /** Reads from the database; returns `fallback` if the disk is not available. */
  read<T>(look: (database: Database) => T, fallback: T): T;
}

/** A table that is kept in memory and copied to the disk. */
export interface DiskTable {
  readonly name: string;
  /** Its CREATE statements, which leave existing tables unchanged. */
  readonly schema: string;
  /** Adds the rows that the memory does not have yet; returns how many rows were invalid and left out. */
  load(database: Database): number;
  /** Writes everything it holds and replaces what is on the disk. */
  rewrite(database: Database): void;
  /** Writes what waits for the next transaction; `committed` is called once it is committed. */
  flush?(database: Database): void;
  committed?(): void;
}

/** The options of a `Disk`. */
interface DiskOptions extends Pick<DatabaseKind, 'version' | 'isChecked'> {
  readonly path: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Prepares the directory before the file is opened. Returns why it cannot be used, or undefined. */
  readonly prepare: () => string | undefined;
  /** False while another disk reports what is probably the same fault; absent: it is always reported. */
  readonly isReported?: () => boolean;
}

/**
 * The tables' copy on the disk. If the disk fails, one error is logged; the tables continue in memory and are written as a
 * whole when writing works again (tried at most every 5 s). A damaged file is moved away, and a new one is written from memory.
 */
export class Disk implements RecordSink {
  #options: DiskOptions;
  #tables: DiskTable[] = [];
  #database: Database | undefined;
  /** When to try again; undefined if there is no error. */
  #retryAtMs: number | undefined;
  #problem = '';
  #timer: NodeJS.Timeout | undefined;
  /** True once the records of an earlier run have been read: only then may they be overwritten. */
  #loaded = false;
  #closed = false;

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  /** Why nothing can be written now, in one line; undefined if it can. Tries it again first, if that is due. */
  problem(): string | undefined {
    if (this.#retryAtMs !== undefined && !this.#closed) this.#recover(false);
    return this.#retryAtMs === undefined ? undefined : this.#problem;
  }

  /** Takes the tables. The file is opened when it is first read or written. */
  use(tables: readonly DiskTable[]): void {
    this.#tables = [...tables];
  }

  /** Takes the tables, opens the file and fills them. Never throws. */
  open(tables: readonly DiskTable[]): void {
    this.use(tables);
    this.read(() => undefined, undefined);
  }

  write(durability: Durability, change: (database: Database) => void = () => {}): void {
    if (this.#closed) return;
    if (durability === 'soon') {
      this.#timer ??= setTimeout(() => this.write('written'), SOON_MS).unref();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#retryAtMs !== undefined) {
      this.#recover(false);
      return;
    }
    try {
      this.#commit(durability === 'fsynced' ? 'FULL' : 'NORMAL', change);
    } catch (error) {
      this.#failed(error);
    }
  }

  read<T>(look: (database: Database) => T, fallback: T): T {
    try {
      const database = this.#opened();
      return database === undefined ? fallback : look(database);
    } catch (error) {
      this.#failed(error);
      return fallback;
    }
  }

  /** Writes what is pending and closes the file. Idempotent. */
  close(): void {
    if (this.#closed) return;
    const wasWanted = this.#database !== undefined || this.#timer !== undefined;
    if (wasWanted && this.#retryAtMs === undefined) this.write('fsynced');
    if (this.#retryAtMs !== undefined) this.#recover(true);
    this.#closed = true;
    this.#database?.close();
    this.#database = undefined;
  }

  #commit(synchronous: 'FULL' | 'NORMAL', change: (database: Database) => void): void {
    const database = this.#opened();
    if (database === undefined) throw new Error('it is not open');
    database.transaction(synchronous, () => {
      change(database);
      for (const table of this.#tables) table.flush?.(database);
    });
    for (const table of this.#tables) table.committed?.();
  }

  /** The database, opened if nobody has tried to yet; undefined if it cannot be used. */
  #opened(): Database | undefined {
    if (this.#database !== undefined || this.#retryAtMs !== undefined || this.#closed) return this.#database;
    const database = this.#openFile();
    this.#database = database;
    this.#load(database);
    return database;
  }

  /** Tries to write everything in memory to the disk. */
  #recover(now: boolean): void {
    const { clock, log, path } = this.#options;
    if (!now && clock.monotonicMs() < (this.#retryAtMs ?? 0)) return;
    try {
      this.#database ??= this.#openFile();
      if (!this.#loaded) this.#load(this.#database);
      this.#rewrite();
      this.#retryAtMs = undefined;
      log.info(`${path} is in use again`);
    } catch (error) {
      this.#failed(error);
    }
  }

  #rewrite(): void {
    this.#commit('FULL', (database) => {
      for (const table of this.#tables) table.rewrite(database);
    });
  }

  #load(database: Database): void {
    let dropped = 0;
    for (const table of this.#tables) dropped += table.load(database);
    this.#loaded = true;
    if (dropped === 0) return;
    this.#options.log.warning(`${this.#options.path}: ${counted(dropped, 'invalid row was', 'invalid rows were')} dropped`);
    this.#rewrite();
  }

  /** A database that can be written; throws if none can be opened. */
  #openFile(): Database {
    const { path, log, clock, version, isChecked } = this.#options;
    const problem = this.#options.prepare();
    if (problem !== undefined) throw new Error(problem);
    const kind = { version, isChecked, schema: this.#tables.map((table) => table.schema) };
    let opened = openDatabase(path, kind);
    if (opened.kind === 'damaged') {
      const aside = setAside(path, clock.date());
      log.warning(`${path} cannot be used (${opened.reason}): moved to ${aside}, a new one is created`);
      opened = openDatabase(path, kind);
    }
    if (opened.kind !== 'opened') throw new Error(opened.reason);
    return opened.database;
  }

  /** Logs one error. A damaged file is replaced at once, because a change that has to be durable must not wait. */
  #failed(error: unknown): void {
    const { path, log, clock, isReported = () => true } = this.#options;
    const first = this.#retryAtMs === undefined;
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    this.#problem = `${path} cannot be used (${errorMessage(error)})`;
    if (!isDamage(error)) {
      if (first) log[isReported() ? 'error' : 'debug'](`${this.#problem}: continuing in memory`, { err: error });
      return;
    }
    this.#database?.close();
    this.#database = undefined;
    try {
      if (!first) return;
      const aside = setAside(path, clock.date());
      log.error(`${path} is damaged (${errorMessage(error)}): moved to ${aside}, a new one is created`);
      this.#database = this.#openFile();
      this.#rewrite();
      this.#retryAtMs = undefined;
    } catch (next) {
      log.error(`${path} cannot be used (${errorMessage(next)}): continuing in memory`, { err: next });
    }
  }
}

const SOON_MS = 200;
const RETRY_MS = 5_000;
