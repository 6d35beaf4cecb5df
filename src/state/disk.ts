import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { counted } from '../core/text/counted.ts';
import { type Database, isDamage, openDatabase } from './database.ts';
import { setAside } from './set-aside.ts';

/**
 * `fsynced`: on the disk when the call returns; it survives a power cut. `written`: with the kernel when the call returns; it
 * survives our death. `soon`: within 200 ms, or with the next of the others.
 */
export type Durability = 'fsynced' | 'written' | 'soon';

/** Where records are put; the tables' view of the disk. */
export interface RecordSink {
  /** Carries out `change`, or remembers that the tables have to be written whole later. Never throws. */
  write(durability: Durability, change?: (database: Database) => void): void;
  /** Looks something up; `fallback` where the disk is not to be had. */
  read<T>(look: (database: Database) => T, fallback: T): T;
}

/** A table that lives in memory and is copied to the disk. */
export interface DiskTable {
  readonly name: string;
  /** Its CREATE statements; they leave alone what is there. */
  readonly schema: string;
  /** Adds to the memory what it does not know yet; returns how many rows made no sense and were left out. */
  load(database: Database): number;
  /** Writes everything it holds, over whatever is there. */
  rewrite(database: Database): void;
  /** Writes what waits for the next transaction; `settled` says that it was committed. */
  flush?(database: Database): void;
  settled?(): void;
}

/** What a `Disk` is given. */
interface DiskOptions {
  readonly path: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Sees to the directory before the file is opened; why it cannot be used, or undefined. */
  readonly prepare: () => string | undefined;
}

/**
 * The tables' copy on the disk. A disk that refuses is complained of once; the tables go on from memory and are written whole
 * when it takes writes again (tried at most every 5 s). A damaged file is set aside and a fresh one written from memory.
 */
export class Disk implements RecordSink {
  #options: DiskOptions;
  #tables: DiskTable[] = [];
  #database: Database | undefined;
  /** When to try again; undefined while all is well. */
  #retryAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What an earlier life left has been read: only then may it be written over. */
  #loaded = false;
  #closed = false;

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  /** Opens the file and fills the tables. Never throws. */
  open(tables: readonly DiskTable[]): void {
    this.#tables = [...tables];
    try {
      this.#database = this.#openFile();
      this.#load(this.#database);
    } catch (error) {
      this.#failed(error);
    }
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
      return this.#database === undefined ? fallback : look(this.#database);
    } catch (error) {
      this.#failed(error);
      return fallback;
    }
  }

  /** Writes what waits and closes the file. Idempotent. */
  close(): void {
    if (this.#closed) return;
    if (this.#retryAtMs === undefined) this.write('fsynced');
    if (this.#retryAtMs !== undefined) this.#recover(true);
    this.#closed = true;
    this.#database?.close();
    this.#database = undefined;
  }

  #commit(synchronous: 'FULL' | 'NORMAL', change: (database: Database) => void): void {
    const database = this.#database;
    if (database === undefined) throw new Error('it is not open');
    database.transaction(synchronous, () => {
      change(database);
      for (const table of this.#tables) table.flush?.(database);
    });
    for (const table of this.#tables) table.settled?.();
  }

  /** Tries to put all that is in memory on the disk. */
  #recover(now: boolean): void {
    const { clock, log, path } = this.#options;
    if (!now && clock.monotonicMs() < (this.#retryAtMs ?? 0)) return;
    try {
      this.#database ??= this.#openFile();
      if (!this.#loaded) this.#load(this.#database);
      this.#rewrite();
      this.#retryAtMs = undefined;
      log.info(`${path} is used again`);
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
    this.#options.log.warning(
      `${this.#options.path}: ${counted(dropped, 'row made no sense and was', 'rows made no sense and were')} dropped`,
    );
    this.#rewrite();
  }

  /** A database that can be written; throws where there is none to be had. */
  #openFile(): Database {
    const { path, log, clock } = this.#options;
    const problem = this.#options.prepare();
    if (problem !== undefined) throw new Error(problem);
    const schema = this.#tables.map((table) => table.schema);
    let opened = openDatabase(path, schema);
    if (opened.kind === 'damaged') {
      const aside = setAside(path, clock.date());
      log.warning(`${path} cannot be used (${opened.reason}): set aside as ${aside}, a fresh one is made`);
      opened = openDatabase(path, schema);
    }
    if (opened.kind !== 'opened') throw new Error(opened.reason);
    return opened.database;
  }

  /** One complaint; a damaged file is replaced at once, for what was asked to be durable has to be. */
  #failed(error: unknown): void {
    const { path, log, clock } = this.#options;
    const first = this.#retryAtMs === undefined;
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    if (!isDamage(error)) {
      if (first) log.error(`${path} cannot be used (${errorMessage(error)}): going on from memory`, { err: error });
      return;
    }
    this.#database?.close();
    this.#database = undefined;
    try {
      if (!first) return;
      const aside = setAside(path, clock.date());
      log.error(`${path} is damaged (${errorMessage(error)}): set aside as ${aside}, a fresh one is made`);
      this.#database = this.#openFile();
      this.#rewrite();
      this.#retryAtMs = undefined;
    } catch (next) {
      log.error(`${path} cannot be used (${errorMessage(next)}): going on from memory`, { err: next });
    }
  }
}

const SOON_MS = 200;
const RETRY_MS = 5_000;
