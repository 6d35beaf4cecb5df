import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Core, createCore } from '../../src/app/app.ts';
import { readSettings } from '../../src/app/settings.ts';
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
