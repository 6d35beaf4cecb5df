import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../../src/core/clock.ts';
import { unitWithProcessesKind } from '../../../../src/state/records/units-with-processes.ts';
import { openState } from '../../../../src/state/state.ts';
import { silentLog } from '../../../helpers/strategy-parts.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('that a unit had processes is known to the next daemon, after a boot too, of the file that it was seen with', (t) => {
  const dir = tempDir(t);
  const first = openState(dir, { log: silentLog, clock: systemClock, bootId: 'one' });
  assert.equal(first.unitsWithProcesses.has('a.service', '/etc/init.d/a 1'), false);
  first.unitsWithProcesses.add('a.service', '/etc/init.d/a 1');
  first.unitsWithProcesses.add('b.service', '');
  first.close();
  const { unitsWithProcesses: later, close } = openState(dir, { log: silentLog, clock: systemClock, bootId: 'two' });
  t.after(close);
  assert.equal(later.has('a.service', '/etc/init.d/a 1'), true);
  assert.equal(later.has('a.service', '/etc/init.d/a 2'), false);
  // What cannot be told now, or could not then, is no other file.
  assert.equal(later.has('a.service', ''), true);
  assert.equal(later.has('b.service', '/etc/init.d/b 1'), true);
  assert.equal(later.has('c.service', ''), false);
});

test('a record that makes no sense does not count', () => {
  for (const wrong of [null, {}, { definition: 1 }, 'x']) assert.equal(unitWithProcessesKind.parse(wrong), undefined);
});
