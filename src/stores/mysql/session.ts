/** A value for a `?`. */
export type SqlValue = string | number | Buffer | null;

/** Statements on one connection, one after the other. They throw what mysql2 throws, or a StoreError. */
export interface MysqlSession {
  /** The same for all that is done on one connection: what is known of it may be kept by it. */
  readonly connection: object;
  /** The rows of a statement that is not worth preparing; none where it gives none. */
  query(sql: string): Promise<Readonly<Record<string, unknown>>[]>;
  /** The rows of a statement, which is prepared once. With more than `maxRows` (default 100,000) or 64 MiB the connection is given up. */
  rows(sql: string, values?: readonly SqlValue[], maxRows?: number): Promise<Readonly<Record<string, unknown>>[]>;
  /** How many rows have changed by a statement, which is prepared once. */
  change(sql: string, values: readonly SqlValue[]): Promise<number>;
}
