import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';

/** What a stranger may make a process cost: fixtures/process-table/strangers.py. */
export type StrangerKind = 'arguments' | 'environment' | 'descriptors' | 'threads' | 'locks' | 'paths' | 'plain';

/** Starts `count` such processes that call themselves `name` (15 bytes at most); their pids. All have ended after the test. */
export async function startStrangers(t: TestContext, kind: StrangerKind, count: number, name: string): Promise<number[]> {
  const file = join(import.meta.dirname, '../fixtures/process-table/strangers.py');
  // Nobody's strangers are children of ours. Node closes a standard input when the shell has ended.
  const script = 'python3 "$@" <&3 3<&- &';
  const child = spawn('sh', ['-c', script, 'sh', file, kind, String(count), name], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const ended = once(child, 'close');
  t.after(async () => {
    (child.stdio[3] as Writable).end();
    await ended;
  });
  for await (const line of createInterface(child.stdout as Readable)) return line.split(' ').map(Number);
  throw new Error(`no ${kind}`);
}
