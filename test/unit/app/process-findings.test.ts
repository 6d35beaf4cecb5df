import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessFindings } from '../../../src/app/process-findings.ts';
import { coreWith } from '../../helpers/core-world.ts';
import { noSystemd } from '../../helpers/process-strategy-world.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

test('a user that is not there is told, one that could not be looked up is not', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.a]\nrestart_strategy = process\nuser = no-such-user\n');
  const parts = { settings: core.settings(), plans: core.plans(), services: noSystemd, hasRow: async () => undefined };
  const told = async (signal: AbortSignal) => (await new ProcessFindings(parts).of('a', signal)).map(({ problem }) => problem);
  assert.deepEqual(await told(never), ['nothing of it is restarted as long as there is no user no-such-user']);
  assert.deepEqual(await told(AbortSignal.abort()), []);
});
