import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { judgeWhole, ProcessLook, sharedLooks } from '../../../../src/system/proc/look.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { longestStall } from '../../../helpers/loop-stall.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('callers in one turn of the loop share a look, later callers get a new one', async (t) => {
  const zoo = openZoo(t);
  const take = sharedLooks(new ProcessTable());
  const looks = await Promise.all(Array.from({ length: 1000 }, take));
  assert.equal(new Set(looks).size, 1);
  const pid = await zoo.start(zoo.sleeper('look-later'));
  const later = await take();
  assert.deepEqual([looks[0]?.all.has(pid), later.all.has(pid)], [false, true]);
});

test('a look and a survey let the loop turn, however many processes there are', async (t) => {
  const root = tempDir(t);
  writeFileSync(join(root, 'uptime'), '1000.00 2000.00\n');
  // As long as a slice may last and much more, on any machine.
  for (let pid = 1; pid <= 4000; pid++) {
    mkdirSync(join(root, String(pid)));
    writeFileSync(join(root, `${pid}/stat`), readFileSync('/proc/self/stat'));
    writeFileSync(join(root, `${pid}/cmdline`), `/opt/many-${pid}\0`);
  }
  const { stallMs, result } = await longestStall(() => ProcessLook.take(new ProcessTable(root)));
  assert.ok(stallMs < 50, `${stallMs} ms`);
  assert.equal(result.all.size, 4000);
  assert.deepEqual(
    result.calledBy('/opt/many-3999').map(({ pid }) => pid),
    [3999],
  );
});

/** A table of processes with these command lines, by ascending pid from 1 on. */
function tableOf(t: TestContext, lines: readonly (readonly string[])[]): ProcessTable {
  const root = tempDir(t);
  writeFileSync(join(root, 'uptime'), '1000.00 2000.00\n');
  for (const [index, words] of lines.entries()) {
    mkdirSync(join(root, `${index + 1}`));
    writeFileSync(join(root, `${index + 1}/stat`), readFileSync('/proc/self/stat'));
    writeFileSync(join(root, `${index + 1}/cmdline`), words.map((word) => `${word}\0`).join(''));
  }
  return new ProcessTable(root);
}

test('of arguments a look keeps the beginning in whole words, names them all, and has them read again by who needs more', async (t) => {
  const [many, most, long] = [Array<string>(65).fill('x'), Array<string>(64).fill('x'), 'y'.repeat(1000)];
  const behind = ['python3', long, long, long, '/opt/behind-the-cut', ...many];
  const table = tableOf(t, [
    many,
    most,
    ['a', long, long, 'b'],
    [long, long, '', 'z'.repeat(48)],
    ['w'.repeat(5000), 'b'],
    behind,
  ]);
  for (const look of [await ProcessLook.take(table), new ProcessLook(table)]) {
    const seen = [...look.all.values()];
    assert.deepEqual(
      seen.map(({ argv, isCut }) => [argv, isCut === true]),
      [
        [most, true],
        [most, false],
        [['a', long, long, 'b'], false],
        [[long, long, '', 'z'.repeat(48)], false],
        [['w'.repeat(2048)], true],
        [['python3', long, long], true],
      ],
    );
    assert.deepEqual(look.calledBy('behind-the-cut'), [seen[5]]);
    const { verdicts, unread } = await judgeWhole(table, seen, ({ argv = [] }) => argv.length);
    assert.deepEqual(
      seen.map((one) => verdicts.get(one)),
      [65, 64, 4, 4, 2, behind.length],
    );
    assert.deepEqual(unread, []);
  }
});

test('what a look has cut off is not kept in memory by what it keeps', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // V8 copies a shorter word.
  const words = Array<string>(1024).fill('fifteen-letters');
  const table = tableOf(t, Array<string[]>(500).fill(words));
  collect();
  const before = process.memoryUsage().heapUsed;
  const look = await ProcessLook.take(table);
  collect();
  const kept = process.memoryUsage().heapUsed - before;
  assert.equal(look.all.size, 500);
  assert.ok(kept < 4_000_000, `${kept} bytes`);
});

test('callers during a look get the next one, with all the others', async () => {
  const table = new ProcessTable();
  const take = sharedLooks(table);
  const first = take();
  await turn();
  const later = [take(), take()];
  await first;
  const [one, two] = await Promise.all(later);
  assert.equal(one, two);
  assert.notEqual(one, await first);
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

test('whose arguments are held back keeps nobody from being seen but its own user', asRoot, async (t) => {
  const root = tempDir(t);
  writeFileSync(join(root, 'uptime'), '1000.00 2000.00\n');
  const users = { 11: 0, 12: 65_534, 14: 65_533 };
  for (const [pid, uid] of Object.entries(users)) {
    mkdirSync(join(root, pid));
    writeFileSync(join(root, `${pid}/stat`), readFileSync('/proc/self/stat'));
    // To open a FIFO takes until somebody writes into it.
    if (pid === '12') execFileSync('mkfifo', [join(root, '12/cmdline')]);
    else writeFileSync(join(root, `${pid}/cmdline`), `/opt/of-${pid}\0`);
    chownSync(join(root, pid), uid, uid);
  }
  const table = new ProcessTable(root);
  try {
    const look = await ProcessLook.take(table);
    const known = [...look.all.values()].flatMap(({ pid, argv }) => (argv === undefined ? [] : [`${pid} ${argv}`]));
    assert.deepEqual(known, ['11 /opt/of-11', '14 /opt/of-14']);
    assert.deepEqual(
      look.unread.map(({ pid }) => pid),
      [12],
    );
    // It is still being read.
    assert.equal((await table.survey(['argv'], { pids: [14] }))[0]?.argv?.[0], '/opt/of-14');
  } finally {
    writeFileSync(join(root, '12/cmdline'), 'late\0');
  }
  rmSync(join(root, '12/cmdline'));
  writeFileSync(join(root, '12/cmdline'), '/opt/of-12\0');
  assert.equal((await table.survey(['argv'], { pids: [12] }))[0]?.argv?.[0], '/opt/of-12');
});
