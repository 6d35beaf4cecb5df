// The program that the worker's process runs.
import { join } from 'node:path';

/** Where the program is. */
export interface WorkerProgram {
  /** A folder that contains all of it, and nothing that the worker must not read. */
  readonly folder: string;
  /** The entry, relative to the folder. */
  readonly entry: string;
  /** It is compiled while it is loaded, which needs a part of Node that makes code in memory. */
  readonly isSource?: true;
}

/** The worker of this very build: a chunk beside the daemon's, or `main.ts` in this folder if we run from the sources. */
export function workerProgram(): WorkerProgram {
  const here = import.meta.dirname;
  // The bundler replaces this with the name of the chunk.
  const chunk = process.env.MONITOR_SERVICE_WORKER;
  if (chunk === undefined) return { folder: join(here, '../../..'), entry: 'src/probes/worker/main.ts', isSource: true };
  return { folder: join(here, '..'), entry: `chunks/${chunk}` };
}

/**
 * The command line of Node with this entry. Without a compiler (--jitless), so that the kernel can forbid new code in memory: the worker
 * waits more than it computes. Expressions take some ten times as long, a few milliseconds for a whole body. SIGUSR1 would open Node's
 * debugger.
 */
export function nodeArgv({ isSource }: WorkerProgram, entry: string): string[] {
  const small = ['--max-semi-space-size=1', '--optimize-for-size', '--max-old-space-size=192'];
  return ['--disable-sigusr1', '--no-warnings', ...(isSource ? [] : ['--jitless']), ...small, entry];
}
