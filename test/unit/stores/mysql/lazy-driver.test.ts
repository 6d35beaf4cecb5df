import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfigText } from '../../../../src/config/config-file.ts';
import { parseDatabase } from '../../../../src/stores/index.ts';
import { NOTHING_CONFIGURED } from '../../../../src/stores/row-scope.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const loaded = (): boolean => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('/mysql2/'));

test('mysql2 is loaded with driver = mysql, when the store is opened, and not before', async (t) => {
  const parse = (text: string) => parseDatabase(loadConfigText('c', `[database]\n${text}`).section('database'));
  const sqlite = await parse(`driver = sqlite\npath = ${join(tempDir(t), 'alarms.db')}`).open(NOTHING_CONFIGURED);
  assert.deepEqual((await sqlite.readAlarms()).rows, []);
  await sqlite.close();
  const mysql = parse('host = 127.0.0.1');
  assert.equal(loaded(), false);
  const store = await mysql.open(NOTHING_CONFIGURED);
  assert.equal(loaded(), true);
  await store.close();
});
