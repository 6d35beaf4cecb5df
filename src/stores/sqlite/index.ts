import type { StoreDefinition } from '../store.ts';
import { parseSqlite, type SqliteOptions } from './options.ts';

/** `driver = sqlite`: an embedded database in one file. node:sqlite is loaded only when the store is opened. */
export const sqliteStore: StoreDefinition<SqliteOptions> = {
  parse: parseSqlite,
  describe: ({ path }) => `sqlite ${path}`,
  open: async (options, scope) => new (await import('./store.ts')).SqliteStore(options, scope),
  openExisting: async (options, scope) => new (await import('./store.ts')).SqliteStore(options, scope, 'existing'),
};
