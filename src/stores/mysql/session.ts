/** A value for a `?`. */
export type SqlValue = string | number | Buffer | null;

/** Statements on one connection, one after the other. They throw what mysql2 throws. */
export interface MysqlSession {
  /** The rows that a statement gives, which is prepared once. */
  rows(sql: string, values?: readonly SqlValue[]): Promise<Readonly<Record<string, unknown>>[]>;
  /** The same of a statement that will hardly come again: nothing of it stays prepared; no rows where it gives none. */
  once(sql: string): Promise<Readonly<Record<string, unknown>>[]>;
  /** How many rows have changed by a statement, which is prepared once. */
  change(sql: string, values: readonly SqlValue[]): Promise<number>;
}
