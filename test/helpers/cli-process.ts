import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A program that a test started. */
export interface Started {
  readonly child: ChildProcess;
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Starts a program and keeps what it says; killed at the end of the test where it still runs. `isRead`: its output is. */
export function start(
  t: TestContext,
  argv: readonly string[],
  env: Record<string, string> = {},
  { isRead = true }: { isRead?: boolean } = {},
): Started {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  const keep = (text: string): void => {
    stdout += text;
  };
  if (isRead) child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, isRead ? 'close' : 'exit').then(([code, signal]) => signal ?? code);
  return { child, output: () => ({ stdout, stderr }), ended };
}

const entry = join(import.meta.dirname, 'cli-entry.ts');

/** The command line of our command line, with small backends. */
export const cli = (...args: string[]): string[] => [process.execPath, entry, ...args];
