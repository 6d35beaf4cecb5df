import { createHash } from 'node:crypto';
import type { SectionReader } from '../core/config.ts';
import { standingKeys, unusedSection } from './driver-sections.ts';
import { mysqlStore } from './mysql/index.ts';
import type { RowScope } from './row-scope.ts';
import { sqliteStore } from './sqlite/index.ts';
import type { AlarmStore, StoreDefinition } from './store.ts';

/** What `driver` may say. */
type StoreName = 'mysql' | 'sqlite';

/** The stores by driver, in the order in which they are named to people; each is loaded only when it is the one in use. */
const stores: Readonly<Record<StoreName, StoreDefinition<unknown>>> = {
  mysql: mysqlStore,
  sqlite: sqliteStore,
};

const storeNames = Object.keys(stores) as StoreName[];

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
  const sectionOf = (name: StoreName): SectionReader => (name === driver ? section : unusedSection(section));
  const parsed = storeNames.map(
    (name) => [name, stores[name].parse(isMeant ? sectionOf(name) : standingKeys(section))] as const,
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
