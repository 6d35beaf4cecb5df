import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTrees } from '../../../../../src/strategies/process/identity/match.ts';
import { ProcessLook } from '../../../../../src/system/proc/look.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import { managed } from '../../../../helpers/process-strategy-world.ts';
import { openZoo } from '../../../../helpers/process-zoo.ts';

test('as long as the arguments of an owner’s process are unread nothing is known to be down', async (t) => {
  const zoo = openZoo(t);
  const table = new ProcessTable();
  const program = zoo.sleeper('match-other');
  const pid = await zoo.start(program);
  const seen = new ProcessLook(table);
  const unread = [...seen.all.values()].filter((process) => process.pid === pid);
  const look = new ProcessLook(table, [...seen.all.values()], unread);
  const own = process.geteuid?.() ?? 0;
  const find = (name: string, uids: readonly number[]) =>
    findTrees(
      table,
      {
        process: managed(name),
        ownPid: process.pid,
        owners: { kind: 'known', uids, others: 'none' },
        knownRoots: [],
        pidFile: undefined,
        argument: undefined,
        isOthers: () => false,
        maxMatches: 1,
        units: [],
        unitOf: () => undefined,
        knownBy: (witness) => witness,
        nowMs: Date.now(),
      },
      look,
    );
  assert.deepEqual(await find('match-nobody', [own]), {
    kind: 'refused',
    reason: `the command line of process ${pid} cannot be read now: its memory is locked`,
  });
  // Of no interest where it runs, and to whom it does not count.
  const running = await find(program, [own]);
  assert.ok(running.kind === 'found' && running.trees[0]?.root.pid === pid);
  assert.equal((await find('match-nobody', [own + 1])).kind, 'found');
});
