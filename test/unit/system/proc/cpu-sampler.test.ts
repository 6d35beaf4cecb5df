import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CPU_FIELDS, type CpuReading, CpuSampler } from '../../../../src/system/proc/cpu-sampler.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

test('percent is CPU time by time, from one look to the next', (t) => {
  const at = samplerAt(t);
  assert.deepEqual(at(10, [reading(1, 100, 5000)]), []);
  assert.deepEqual(at(12, [reading(1, 100, 6000), reading(2, 1100, 500), reading(3, 500, 900)]), [
    [1, 50],
    [2, 25],
  ]);
  assert.deepEqual(at(12.05, [reading(1, 100, 9000)]), [
    [1, 50],
    [2, 25],
  ]);
  const again = at(16, [reading(1, 100, 14_000), reading(2, 1400, 400), reading(3, 500, 900)]);
  assert.deepEqual(again, [
    [1, 200],
    [2, 10],
    [3, 0],
  ]);
});

test('a process that does nothing but count has a whole CPU, one that sleeps none', async (t) => {
  const zoo = openZoo(t);
  const busy = await zoo.start('/bin/sh', ['-c', 'while :; do :; done']);
  const idle = await zoo.start(zoo.sleeper('idle'));
  const table = new ProcessTable();
  const sampler = new CpuSampler(table);
  sampler.sample(table.list(CPU_FIELDS));
  // On a busy machine its share is less, but it has one at each look.
  await waitFor('a share', () => {
    const percents = sampler.sample(table.list(CPU_FIELDS));
    return (percents.get(busy) ?? 0) > 20 && (percents.get(busy) ?? 0) < 130 && percents.get(idle) === 0;
  });
});

/** A sampler on a made-up clock, seconds since boot. */
function samplerAt(t: TestContext): (uptimeS: number, processes: readonly CpuReading[]) => [number, number][] {
  const root = tempDir(t);
  const sampler = new CpuSampler(new ProcessTable(root));
  return (uptimeS, processes) => {
    writeFileSync(join(root, 'uptime'), `${uptimeS} 0\n`);
    return [...sampler.sample(processes)];
  };
}

function reading(pid: number, startTime: number, cpuMs: number): CpuReading {
  return { pid, startTime, userCpuMs: cpuMs / 2, systemCpuMs: cpuMs / 2 };
}
