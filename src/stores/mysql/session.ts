// What the statements of the MySQL store run on.
/** A value of a `?` in a statement. */
export type SqlValue = string | number | Buffer | null;

/** Runs statements on one connection, one after the other. They throw what mysql2 throws, or a StoreError. */
export interface MysqlSession {
  /** The same object for every session on one connection: a key for what is known about the connection. */
  readonly connection: object;
  /** The rows of a statement that is not prepared; [] if it returns none. */
  query(sql: string): Promise<Readonly<Record<string, unknown>>[]>;
  /**
   * The rows of a statement that is prepared once. If there are more than `maxRows` (default 100,000) or 64 MiB, the connection
   * is given up.
   */
  rows(sql: string, values?: readonly SqlValue[], maxRows?: number): Promise<Readonly<Record<string, unknown>>[]>;
  /** How many rows a statement changed; it is prepared once. */
  change(sql: string, values: readonly SqlValue[]): Promise<number>;
}
