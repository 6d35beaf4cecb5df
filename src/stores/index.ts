// The table of alarm stores, and the parser of the section `[database]`.
import { createHash } from 'node:crypto';
import type { SectionReader } from '../core/config.ts';
import { presentKeysOnly, unusedDriverKeys } from './driver-sections.ts';
import { mysqlStore } from './mysql/index.ts';
import type { RowScope } from './row-scope.ts';
import { sqliteStore } from './sqlite/index.ts';
import type { AlarmStore, StoreDefinition } from './store.ts';

/** The values of `driver`. */
type StoreName = 'mysql' | 'sqlite';

/** The stores by driver, in the order in which messages name them. A store is loaded only if it is in use. */
const stores: Readonly<Record<StoreName, StoreDefinition<unknown>>> = {
  mysql: mysqlStore,
  sqlite: sqliteStore,
};

const storeNames = Object.keys(stores) as StoreName[];

/** A parsed `[database]` section. */
export interface ParsedStore {
  readonly driver: StoreName;
  /** For people; never contains a secret. */
  readonly description: string;
  /** Changes if anything relevant in the section changes; reveals nothing of its contents. */
  readonly fingerprint: string;
  /**
   * Loads the driver without connecting. `warn` gets each caution once, in one line: something works now but may stop working.
   */
  open(scope: RowScope, warn?: (text: string) => void): Promise<AlarmStore>;
  /** The same for every program but the daemon: it creates nothing; a missing file or table is a fault. */
  openExisting(scope: RowScope, warn?: (text: string) => void): Promise<AlarmStore>;
}

/** Reads `[database]`: the keys of every driver, so that all are known, and the required keys of the driver in use. */
export function parseDatabase(section: SectionReader): ParsedStore {
  const driver = section.choice('driver', storeNames, 'mysql');
  // A misspelt driver is reported; the other keys are judged by the driver that has them. Both drivers judge shared keys alike.
  const isMeant = [undefined, ...storeNames].some((name) => name === section.text('driver')?.toLowerCase());
  const sectionOf = (name: StoreName): SectionReader => (name === driver ? section : unusedDriverKeys(section));
  const parsed = storeNames.map(
    (name) => [name, stores[name].parse(isMeant ? sectionOf(name) : presentKeysOnly(section))] as const,
  );
  const options = new Map(parsed).get(driver);
  const store = stores[driver];
  return {
    driver,
    description: store.describe(options),
    fingerprint: createHash('sha256')
      .update(JSON.stringify([driver, options]))
      .digest('hex'),
    open: (scope, warn = () => {}) => store.open(options, scope, warn),
    openExisting: (scope, warn = () => {}) => (store.openExisting ?? store.open)(options, scope, warn),
  };
}
