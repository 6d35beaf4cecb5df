import { isAbsolute } from 'node:path';
import type { SectionReader } from '../../core/config.ts';

/** The `[database]` keys of the embedded store. */
export interface SqliteOptions {
  /** `path`: the database file. */
  readonly path: string;
  /** `query_timeout`: limit of a call that finds the file locked; default 10 s. */
  readonly queryTimeoutMs: number;
}

/** Reads the keys of `driver = sqlite`. Problems go to the reader. */
export function parseSqlite(section: SectionReader): SqliteOptions {
  const path = section.text('path') ?? '';
  if (!isAbsolute(path))
    section.problem('path', `cannot be used (expected the absolute path of the database file, got "${path}")`);
  return { path, queryTimeoutMs: section.secondsAsMs('query_timeout', { default: 10, min: 0.1, max: 120 }) };
}
