import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { memberTest } from '../../../../../src/strategies/process/identity/rest.ts';
import type { SeenProcess } from '../../../../../src/system/proc/look.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

test('a session whose number has come again is not the one that a dead root led: what is in another control group is not its own', (t) => {
  const dir = tempDir(t);
  const all = new Map<number, SeenProcess>();
  const process = (pid: number, sid: number, startTime: number, cgroup: string): SeenProcess => {
    mkdirSync(join(dir, `${pid}`));
    writeFileSync(join(dir, `${pid}/stat`), `${pid} (x) S 1 ${sid} ${sid} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${startTime} 0 0\n`);
    writeFileSync(join(dir, `${pid}/cgroup`), `0::${cgroup}\n`);
    const seen = { pid, ppid: 1, pgid: sid, sid, startTime, name: 'x', state: 'S', threads: 1, kernelThread: false } as const;
    all.set(pid, seen);
    return seen;
  };
  const isMember = memberTest(new ProcessTable(dir), all, () => true);
  const innocent = process(101, 100, 900, '/system.slice/innocent.service');
  const worker = process(102, 100, 300, '/system.slice/cron.service');
  const deeper = process(103, 100, 300, '/system.slice/cron.service/deeper');
  const root = { pid: 100, startTime: 200, cgroup: '/system.slice/cron.service' };
  assert.deepEqual(
    [worker, deeper, innocent].map((seen) => isMember(root, seen)),
    [true, true, false],
  );
  // Of an earlier version's, and where there is but one group, it cannot be told.
  for (const cgroup of [undefined, '/']) assert.ok(isMember({ pid: 100, startTime: 200, ...(cgroup && { cgroup }) }, innocent));
  const early = process(104, 100, 100, '/system.slice/cron.service');
  assert.equal(isMember(root, early), false, 'older than its leader');
  // Who lives is not gone, wherever its children are.
  process(100, 100, 200, '/system.slice/cron.service');
  assert.ok(isMember(root, innocent));
});
