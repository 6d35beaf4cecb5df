import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcessOptions } from '../../../../../src/strategies/process/options.ts';
import { KnownRoots } from '../../../../../src/strategies/process/running/known-roots.ts';
import { Supervision } from '../../../../../src/strategies/process/supervision/supervision.ts';
import { managed, processStrategyWorld } from '../../../../helpers/process-strategy-world.ts';
import { seenNow, treeOf } from '../../../../helpers/process-trees.ts';
import { unique } from '../../../../helpers/process-zoo.ts';
import { FakeSection, never } from '../../../../helpers/strategy-parts.ts';

test('of a program that has ended since it was found nothing is recorded that is of who has its number now', async (t) => {
  const { zoo, table, parts } = processStrategyWorld(t);
  const options = parseProcessOptions(new FakeSection('process.x', {}));
  const supervision = new Supervision({ table, clock: parts.clock, log: parts.log, roots: parts.roots, waitMs: 0 });
  const pid = await zoo.start(zoo.sleeper(unique('zroots')));
  const status = { id: 'other.service', mainPid: pid, activeState: 'active', type: 'simple', controlGroup: '' };
  const services = { ...parts.services, available: true, show: async () => ({ kind: 'status', status }) as never };
  const read = table.read.bind(table);
  table.read = ((of: number, ...rest: never[]) => {
    const seen = (read as (...args: unknown[]) => object | undefined)(of, ...rest);
    return of === pid && seen ? { ...seen, unit: 'other.service' } : seen;
  }) as typeof read;
  const [known, withoutSystemd] = [{ ...parts, services }, parts].map((of) => new KnownRoots(options, of, table, supervision));
  const now = seenNow(table, pid);
  const before = { ...now, startTime: now.startTime - 100 };
  const record = async (roots: KnownRoots | undefined, root: typeof now) => {
    await roots?.record(managed('x'), [treeOf(root)], never);
    return parts.roots.get('x').map(({ uid, unit }) => ({ uid, unit }));
  };
  assert.deepEqual(await record(known, before), []);
  assert.deepEqual(await record(withoutSystemd, before), []);
  assert.deepEqual(await record(known, now), [{ uid: process.getuid?.(), unit: 'other.service' }]);
});
