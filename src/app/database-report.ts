import { errorMessage, StoreError } from '../core/errors.ts';
import { nearName } from '../core/near-name.ts';
import { unseenIn } from '../core/printable.ts';
import type { DatabaseReport } from './backends.ts';
import { rowScope, type Settings } from './settings.ts';
import type { UnitReport } from './unit-report.ts';

/** What `check-config --database` tells, and what it has seen on the way. */
export interface AskedDatabase {
  readonly report: DatabaseReport;
  /** Of names that a section depends on, whether they have a row; undefined: that is not known. */
  readonly hasRow: (name: string) => Promise<boolean | undefined>;
}

/** Asks the store of `settings`. Never rejects for what a store may fail with. */
export async function askDatabase(settings: Settings, units: UnitReport): Promise<AskedDatabase> {
  const { database, processNames } = settings;
  const { description } = database;
  const store = await database.open(rowScope(settings));
  try {
    const report = await store.inspect();
    const names = await store.listNames(MOST_NAMES);
    const known = new Set(names);
    const unmatched: string[] = [];
    for (const name of processNames) {
      // Beyond so many it takes a question of its own.
      const has = known.has(name) || (names.length === MOST_NAMES && (await store.findProcesses(name)).length > 0);
      if (!has) unmatched.push(name);
    }
    const leftAlone = await units.leftAlone(names);
    const odd = { ...unseenNames(names), ...nearNames(names, processNames) };
    return {
      report: { kind: 'ok', description, report, unmatched, leftAlone, ...odd },
      hasRow: async (name) => known.has(name) || (names.length === MOST_NAMES ? undefined : false),
    };
  } catch (error) {
    const fault = error instanceof StoreError ? error.fault : 'failed';
    // What the tables make of it is wrong with the file.
    if (fault === 'config') settings.document.section('host').problem('host_id', errorMessage(error));
    return { report: { kind: 'failed', description, reason: errorMessage(error), fault }, hasRow: unknownRow };
  } finally {
    await store.close();
  }
}

const MOST_NAMES = 100_000;

/** For who has not asked. */
export async function unknownRow(): Promise<undefined> {
  return undefined;
}

function unseenNames(names: readonly string[]): Pick<Extract<DatabaseReport, { kind: 'ok' }>, 'unseen'> {
  const unseen = names.flatMap((name) => {
    const holds = unseenIn(name);
    return holds === undefined ? [] : [{ name, holds }];
  });
  return unseen.length === 0 ? {} : { unseen };
}

/** Names that differ from that of a section by blanks or case alone, and so are none of its. */
function nearNames(
  names: readonly string[],
  sections: readonly string[],
): Pick<Extract<DatabaseReport, { kind: 'ok' }>, 'near'> {
  const near = names.flatMap((name) => {
    const section = nearName(name, sections);
    return section === undefined ? [] : [{ name, section }];
  });
  return near.length === 0 ? {} : { near };
}
