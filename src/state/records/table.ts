// A table of records: JSON values by key, in memory and on the disk.
import { check, type Shape } from '../../core/shape.ts';
import type { Database } from '../database.ts';
import type { DiskTable, Durability, RecordSink } from '../disk.ts';

/** One kind of record: its table, and how valid values are recognised. */
export interface RecordKind<T> {
  /** The table's name. */
  readonly table: string;
  /** The record in a parsed JSON value; undefined if it is not valid. */
  parse(value: unknown): T | undefined;
}

/** Records of that shape, in that table. */
export function recordKind<T>(table: string, shape: Shape<T>): RecordKind<T> {
  return {
    table,
    parse: (value) => {
      const checked = check(shape, value);
      return checked.kind === 'fits' ? checked.value : undefined;
    },
  };
}

/**
 * Records by key, as JSON: read from memory and stored on the disk. `parse` has to return an equal record for the JSON of a
 * record.
 */
export class RecordTable<T> implements DiskTable {
  readonly name: string;
  readonly schema: string;
  #kind: RecordKind<T>;
  #sink: RecordSink;
  /** As text: compact, equal if nothing changed, and safe from changes by callers. */
  #records = new Map<string, string>();

  constructor(kind: RecordKind<T>, sink: RecordSink) {
    this.#kind = kind;
    this.#sink = sink;
    this.name = kind.table;
    this.schema = `CREATE TABLE IF NOT EXISTS ${kind.table} (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`;
  }

  get(key: string): T | undefined {
    const json = this.#records.get(key);
    return json === undefined ? undefined : this.#kind.parse(JSON.parse(json));
  }

  get size(): number {
    return this.#records.size;
  }

  /** In the order of insertion. */
  keys(): string[] {
    return [...this.#records.keys()];
  }

  /** In the order of insertion. */
  all(): T[] {
    return this.keys().flatMap((key) => this.get(key) ?? []);
  }

  put(key: string, record: T, durability: Durability): void {
    const json = JSON.stringify(record);
    if (this.#records.get(key) === json) return;
    this.#records.set(key, json);
    this.#sink.write(durability, (database) => this.#insert(database, key, json));
  }

  remove(key: string, durability: Durability): void {
    if (!this.#records.delete(key)) return;
    this.#sink.write(durability, (database) => database.run(`DELETE FROM ${this.#kind.table} WHERE key = ?`, key));
  }

  load(database: Database): number {
    let dropped = 0;
    for (const { key, value } of database.all(`SELECT key, value FROM ${this.#kind.table}`)) {
      const record = this.#parse(String(value));
      if (record === undefined) dropped++;
      else if (!this.#records.has(String(key))) this.#records.set(String(key), JSON.stringify(record));
    }
    return dropped;
  }

  rewrite(database: Database): void {
    database.run(`DELETE FROM ${this.#kind.table}`);
    for (const [key, json] of this.#records) this.#insert(database, key, json);
  }

  #insert(database: Database, key: string, json: string): void {
    database.run(`INSERT OR REPLACE INTO ${this.#kind.table} (key, value) VALUES (?, ?)`, key, json);
  }

  #parse(json: string): T | undefined {
    try {
      return this.#kind.parse(JSON.parse(json));
    } catch {
      return undefined;
    }
  }
}
