import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindOrders } from '../../../src/app/bind-orders.ts';
import { coreWith } from '../../helpers/core-world.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

test('a hold on a name that neither a row nor a section has is refused', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n');
  const orders = bindOrders(core, { status: () => assert.fail(), reload: () => assert.fail() });
  assert.equal((await orders.hold('wbe', undefined, '')).kind, 'refused');
  assert.equal((await orders.hold('web', undefined, '')).kind, 'done');
  assert.equal((await orders.hold(undefined, 1000, '')).kind, 'done');
  assert.deepEqual(
    core.holds.list().map(({ name }) => name),
    ['web', '*'],
  );
});
