import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { NewProcesses } from '../../src/detectors/exits/new-processes.ts';
import { ProcessMemory } from '../../src/stream/process-memory.ts';
import { ProcessLook } from '../../src/system/proc/look.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { RunFiles } from '../../src/system/runs/files.ts';
import { killRun } from '../../src/system/spawn/kill-run.ts';
import { longestStall } from '../helpers/loop-stall.ts';
import { managed, processStrategyWorld } from '../helpers/process-strategy-world.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';
import { asRoot, missing } from '../helpers/requirement.ts';
import { type StrangerKind, startStrangers } from '../helpers/strangers.ts';
import { tempDir } from '../helpers/temp-dir.ts';

// What any user of the machine may do must neither hold up the loop nor take memory, whoever of us looks.

const NAME = 'str\nan\nger';
const ARGUMENT = '/opt/l/ledger.py';
const MOST_STALL_MS = 50;
const MOST_BYTES = 20_000_000;
const options = { skip: missing('python3'), timeout: 900_000 };

const never = new AbortController().signal;

/** All that looks at other users' processes, by what it is for. */
function looks(t: TestContext): Record<string, () => Promise<unknown>> {
  const table = new ProcessTable();
  const world = processStrategyWorld(t);
  const strategy = world.strategy();
  const dir = tempDir(t);
  const files = new RunFiles({ dir, log: new RecordedLog() });
  const newcomers = new NewProcesses(table);
  newcomers.want([{ systemName: NAME }]);
  const withArgument = new NewProcesses(table);
  withArgument.want([{ systemName: 'ledger', marks: { pidFile: undefined, argument: ARGUMENT, units: [] } }]);
  // They all count as the program.
  const copies = world.strategy({ anyUser: true, maxMatches: 1000 });
  return {
    'a look': () => ProcessLook.take(table),
    watch_exit: () => newcomers.inTable(),
    'watch_exit by an argument': () => withArgument.inTable(),
    match: () => strategy.preview(managed(NAME), never),
    'match by an argument': () => world.strategy({ argument: ARGUMENT }).preview(managed('ledger'), never),
    'match of copies': () => copies.preview(managed(NAME), never),
    'the record of copies': () => copies.observe(managed(NAME), () => ProcessLook.take(table)),
    'the record of launches': () => strategy.observe(managed(NAME), () => ProcessLook.take(table)),
    'the event stream': () => new ProcessMemory(table, systemClock).relearn(),
    'a command line of the event stream': async () => {
      const memory = new ProcessMemory(table, systemClock);
      for (const { pid } of await table.survey(['ppid'])) assert.ok(memory.commandLine(pid).length <= 4096);
    },
    'the end of a command': () => killRun({ pid: 2 ** 22, startTime: 1, runId: 'nobodys' }, 0),
    'a command of an earlier life': () => {
      writeFileSync(join(dir, 'run-nobodys'), '');
      return files.findRun('nobodys');
    },
    'the sweep of run files': () => {
      writeFileSync(join(dir, 'run-nobodys'), '');
      return files.sweep();
    },
    'all fields': () => table.survey(['argv', 'environment', 'sockets', 'fdCount', 'memoryMaps', 'uids']),
    'open files': async () => {
      for (const { pid } of await table.survey([])) {
        assert.ok((table.read(pid, ['openFiles'])?.openFiles?.length ?? 0) <= 4096);
        await turn();
      }
    },
  };
}

async function measured(look: () => Promise<unknown>): Promise<{ readonly stallMs: number; readonly grown: number }> {
  const before = process.memoryUsage().rss;
  const { stallMs } = await longestStall(look);
  return { stallMs, grown: process.memoryUsage().rss - before };
}

const kinds: readonly (readonly [kind: StrangerKind, count: number])[] = [
  ['arguments', 100],
  ['environment', 100],
  ['descriptors', 20],
  ['threads', 5],
  ['paths', 5],
  ['plain', 300],
];

for (const [kind, count] of kinds) {
  test(`${count} processes with a line break in their names, ${kind}: no stall, no memory`, options, async (t) => {
    const pids = await startStrangers(t, kind, count, NAME);
    const table = new ProcessTable();
    const isCalled = (pid: number): boolean => kind === 'paths' || table.read(pid, ['name'])?.name === NAME;
    assert.ok(pids.length === count && pids.every(isCalled));
    for (const [what, look] of Object.entries(looks(t))) {
      // Code that is run for the first time is compiled.
      await look();
      let { stallMs, grown } = await measured(look);
      // The collector may have its great moment in one of them.
      for (let more = 2; more > 0 && (stallMs >= MOST_STALL_MS || grown >= MOST_BYTES); more--) {
        const again = await measured(look);
        [stallMs, grown] = [Math.min(stallMs, again.stallMs), Math.min(grown, again.grown)];
      }
      t.diagnostic(`${what}: ${stallMs.toFixed(1)} ms, ${(grown / 1e6).toFixed(1)} MB`);
      assert.ok(stallMs < MOST_STALL_MS, `${what}: the loop stood still for ${stallMs} ms`);
      assert.ok(grown < MOST_BYTES, `${what}: ${grown} bytes more`);
    }
  });
}

// The kernel waits for whoever has a process's memory locked, where somebody else reads its arguments.
test('processes that keep their memory locked: the loop turns', {
  ...options,
  skip: options.skip || asRoot.skip,
}, async (t) => {
  const pids = await startStrangers(t, 'locks', 2, NAME);
  const heldMs = Math.max(...Array.from({ length: 5 }, () => pids.map(readingMs)).flat());
  for (const [which, look] of Object.entries(looks(t))) {
    if (NOT_OF_OTHERS.includes(which)) continue;
    const tries = [await waited(look)];
    while (tries.length < 3 && Math.min(...tries) >= heldMs / 2) tries.push(await waited(look));
    t.diagnostic(`${which}: ${tries.map((ms) => ms.toFixed(0)).join(', ')} of ${heldMs.toFixed(0)} ms`);
    assert.ok(Math.min(...tries) < heldMs / 2, `${which}: the loop stood still for ${tries} ms`);
  }
});

/** What the daemon asks of its own processes alone, or at once. */
const NOT_OF_OTHERS = ['all fields', 'open files', 'a command line of the event stream'];

function readingMs(pid: number): number {
  const sinceMs = performance.now();
  readFileSync(`/proc/${pid}/cmdline`);
  return performance.now() - sinceMs;
}

async function waited(look: () => Promise<unknown>): Promise<number> {
  return (await longestStall(look, () => performance.now())).stallMs;
}
