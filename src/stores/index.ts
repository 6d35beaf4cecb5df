import { createHash } from 'node:crypto';
import type { SectionReader } from '../core/config.ts';
import { describeMysql, parseMysql } from './mysql/options.ts';
import type { RowScope } from './row-scope.ts';
import { parseSqlite } from './sqlite/options.ts';
import { standingKeys } from './standing-keys.ts';
import type { AlarmStore, StoreDefinition } from './store.ts';

/** What `driver` may say. */
const storeNames = ['mysql', 'sqlite'] as const;
type StoreName = (typeof storeNames)[number];

type Options<P extends (...args: never[]) => unknown> = ReturnType<P>;

/** The stores by driver; each is loaded only when it is the one in use. */
const stores = {
  mysql: {
    parse: parseMysql,
    describe: describeMysql,
    open: async (options, scope, warn) => new (await import('./mysql/store.ts')).MysqlStore(options, scope, undefined, warn),
  } satisfies StoreDefinition<Options<typeof parseMysql>>,
  sqlite: {
    parse: parseSqlite,
    describe: ({ path }) => `sqlite ${path}`,
    open: async (options, scope) => new (await import('./sqlite/store.ts')).SqliteStore(options, scope),
    openExisting: async (options, scope) => new (await import('./sqlite/store.ts')).SqliteStore(options, scope, 'asks'),
  } satisfies StoreDefinition<Options<typeof parseSqlite>>,
} satisfies Record<StoreName, unknown>;

/** A `[database]` section that was read. */
export interface ParsedStore {
  readonly driver: StoreName;
  /** For people; never a secret. */
  readonly description: string;
  /** Differs where anything in the section that matters differs; says nothing of its contents. */
  readonly fingerprint: string;
  /** Loads the driver; connects to nothing. `warn` hears, in one line and once, of what works and may not for long. */
  open(scope: RowScope, warn?: (text: string) => void): Promise<AlarmStore>;
  /** The same for all but the daemon: nothing is made that is not there, and that is told as a fault. */
  openExisting(scope: RowScope, warn?: (text: string) => void): Promise<AlarmStore>;
}

/** Reads `[database]`: the keys of every driver, so that all are known; what is required, of the one in use. */
export function parseDatabase(section: SectionReader): ParsedStore {
  const driver = section.choice('driver', storeNames, 'mysql');
  // A misspelt one is told of; the other keys are judged as the driver would that has them. What two have they judge alike.
  const isMeant = [undefined, ...storeNames].some((name) => name === section.text('driver')?.toLowerCase());
  const keys = isMeant ? section : standingKeys(section);
  const mysql = stores.mysql.parse(keys, !isMeant || driver === 'mysql');
  const sqlite = stores.sqlite.parse(keys, !isMeant || driver === 'sqlite');
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([driver, driver === 'mysql' ? mysql : sqlite]))
    .digest('hex');
  return driver === 'mysql'
    ? {
        driver,
        description: stores.mysql.describe(mysql),
        fingerprint,
        open: (scope, warn = () => {}) => stores.mysql.open(mysql, scope, warn),
        openExisting: (scope, warn = () => {}) => stores.mysql.open(mysql, scope, warn),
      }
    : {
        driver,
        description: stores.sqlite.describe(sqlite),
        fingerprint,
        open: (scope) => stores.sqlite.open(sqlite, scope),
        openExisting: (scope) => stores.sqlite.openExisting(sqlite, scope),
      };
}
