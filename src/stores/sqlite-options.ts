import type { SectionReader } from '../core/config.ts';

/** The `[database]` keys of the embedded store. */
export interface SqliteOptions {
  /** `path`: the database file; it is made with its tables where it does not exist. */
  readonly path: string;
  /** `query_timeout`: limit of a call that finds the file locked; default 10 s. */
  readonly queryTimeoutMs: number;
}

/** Reads the keys of `driver = sqlite`; `required`: it is the driver in use. */
export function parseSqlite(section: SectionReader, required: boolean): SqliteOptions {
  const path = section.text('path');
  if (required && path === undefined)
    section.problem('path', 'missing (expected the path of the database file, as driver = sqlite)');
  return { path: path ?? '', queryTimeoutMs: section.secondsAsMs('query_timeout', { default: 10, min: 0.1, max: 3600 }) };
}
