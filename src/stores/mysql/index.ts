import type { StoreDefinition } from '../store.ts';
import { describeMysql, type MysqlOptions, parseMysql } from './options.ts';

/** `driver = mysql`: the tables of a MySQL or MariaDB server. mysql2 is loaded only when the store is opened. */
export const mysqlStore: StoreDefinition<MysqlOptions> = {
  parse: (section) => parseMysql(section),
  describe: (options) => describeMysql(options),
  open: async (options, scope, warn) => new (await import('./store.ts')).MysqlStore(options, scope, undefined, warn),
};
