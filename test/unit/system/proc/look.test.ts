import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessLook, sharedLooks } from '../../../../src/system/proc/look.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';

test('who asks in one turn of the loop shares a look, who asks later gets a new one', async (t) => {
  const zoo = openZoo(t);
  const take = sharedLooks(new ProcessTable());
  const looks = await Promise.all(Array.from({ length: 1000 }, take));
  assert.equal(new Set(looks).size, 1);
  const pid = await zoo.start(zoo.sleeper('look-later'));
  const later = await take();
  assert.deepEqual([looks[0]?.all.has(pid), later.all.has(pid)], [false, true]);
});

test('a process is found by each of its names, of which none may be a part', async (t) => {
  const zoo = openZoo(t);
  const program = zoo.sleeper('look-file-of-a-long-name');
  const renamed = await zoo.start(program, ['300'], { argv0: 'look-title: of it' });
  const look = new ProcessLook(new ProcessTable());
  const found = (name: string): number[] => look.calledBy(name).map(({ pid }) => pid);
  for (const name of [program, 'look-file-of-a-long-name', 'look-title', 'look-title: of it'])
    assert.ok(found(name).includes(renamed), name);
  for (const name of ['look', 'look-file']) assert.ok(!found(name).includes(renamed), name);
  assert.ok(look.children.get(process.pid)?.some(({ pid }) => pid === renamed));
});
