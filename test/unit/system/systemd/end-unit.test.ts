import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { emptyUnit } from '../../../../src/system/systemd/end-unit.ts';
import { endAfter } from '../../../helpers/end-after.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** A living process, which the proc in `root` shows in this cgroup. */
function sleeperIn(t: TestContext, root: string, cgroup: string) {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const ended = endAfter(t, child);
  const folder = join(root, String(child.pid));
  mkdirSync(folder);
  writeFileSync(join(folder, 'stat'), readFileSync(`/proc/${child.pid}/stat`));
  writeFileSync(join(folder, 'cgroup'), `0::${cgroup}\n`);
  return { child, ended };
}

test('only processes in the unit itself count and are killed; not those of a unit of that name of a user’s own manager, or within another', async (t) => {
  const root = tempDir(t);
  const strangers = [
    '/user.slice/user-1000.slice/user@1000.service/app.slice/run.service',
    '/user.slice/user-1000.slice/user@1000.service/run.service/run.service',
    '/system.slice/other.service/run.service',
    '/machine.slice/systemd-nspawn@x.service/payload/system.slice/run.service',
    '/system.slice/xrun.service',
    '/run.service.d/x',
  ].map((cgroup) => sleeperIn(t, root, cgroup));
  const began = performance.now();
  await emptyUnit('run.service', new ProcessTable(root));
  assert.ok(performance.now() - began < 1500, 'nobody was waited for');
  const meant = ['/system.slice/run.service', '/a.slice/a-b.slice/run.service/part/of/it', '/_run.service'].map((cgroup) =>
    sleeperIn(t, root, cgroup),
  );
  await emptyUnit('run.service', new ProcessTable(root));
  for (const { ended } of meant) assert.equal((await ended)[1], 'SIGKILL');
  for (const { child } of strangers) assert.deepEqual([child.exitCode, child.signalCode], [null, null]);
});
