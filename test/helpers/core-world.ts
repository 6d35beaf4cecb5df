import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { type Core, createCore } from '../../src/app/app.ts';
import { readSettings } from '../../src/app/settings.ts';
import { createSchema } from '../../src/stores/sqlite/store.ts';
import { RecordedLog } from './recorded-log.ts';

/** The river on an embedded store in `dir`, with `sections` behind the needful ones; stopped after the test. */
export async function coreWith(t: TestContext, dir: string, sections: string): Promise<Core> {
  const file = join(dir, 'config.ini');
  const database = `[database]\ndriver = sqlite\npath = ${dir}/a.db\n[monitor]\nstate_dir = ${dir}/state\n[logging]\nfile =\n`;
  writeFileSync(file, `${database}${sections}`, { mode: 0o600 });
  const core = await createCore({ settings: readSettings(file), log: new RecordedLog() });
  t.after(async () => {
    core.stopping.abort();
    await core.stops.stop(5000);
  });
  return core;
}

/** Puts a row for each name into the store of `coreWith(t, dir)`: process_id from 1, all in alarm or none. */
export function addRows(dir: string, names: readonly string[], inAlarm: boolean): void {
  const database = new DatabaseSync(join(dir, 'a.db'));
  createSchema(database);
  for (const [i, name] of names.entries()) {
    database.prepare('INSERT INTO PROCESE VALUES (?, ?)').run(i + 1, name);
    database.prepare('INSERT INTO STATUS_PROCESS VALUES (?, ?, 0, NULL)').run(i + 1, Number(inAlarm));
  }
  database.close();
}
