import { isAbsolute } from 'node:path';
import type { SectionReader } from '../../core/config.ts';

/** The `[database]` keys of the embedded store. */
export interface SqliteOptions {
  /** `path`: the database file. */
  readonly path: string;
  /** `query_timeout`: how long a call waits for a locked file; default 10 s. */
  readonly queryTimeoutMs: number;
}

/** Reads the keys of `driver = sqlite`. Problems go to the reader. */
export function parseSqlite(section: SectionReader): SqliteOptions {
  const path = section.text('path') ?? '';
  if (!isAbsolute(path)) section.problem('path', `invalid value "${path}", expected the absolute path of the database file`);
  return { path, queryTimeoutMs: section.secondsAsMs('query_timeout', { default: 10, min: 0.1, max: 120 }) };
}
