import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

/** What a stranger may make a process cost: fixtures/process-table/strangers.py. */
export type StrangerKind = 'arguments' | 'environment' | 'descriptors' | 'threads' | 'plain';

/** Starts `count` such processes that call themselves `name` (15 bytes at most); their pids. All have ended after the test. */
export async function startStrangers(t: TestContext, kind: StrangerKind, count: number, name: string): Promise<number[]> {
  const file = join(import.meta.dirname, '../fixtures/process-table/strangers.py');
  const child = spawn('python3', [file, kind, String(count), name], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  for await (const line of createInterface(child.stdout)) return line.split(' ').map(Number);
  throw new Error(`no ${kind}`);
}
