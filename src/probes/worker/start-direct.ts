// Starts the worker as a child of ours, without PID 1.
import { join } from 'node:path';
import { openSocketPair } from '../../system/native/socket-pair.ts';
import { startProgram } from '../../system/spawn/command.ts';
import { killGroup } from '../../system/spawn/kill-run.ts';
import type { StartWorker } from './process.ts';
import { nodeArgv, type WorkerProgram } from './program.ts';

/**
 * Starts workers as children, with an empty environment, in `/`. If we are root, the worker becomes a user of its own before it reads its first
 * piece of work (main.ts): who may not read the program itself if it is in a folder of root.
 */
export function directStarter(program: WorkerProgram): StartWorker {
  return async () => {
    const pair = openSocketPair();
    if (pair === undefined) return { kind: 'not_started', reason: 'no pair of sockets is available' };
    const argv = nodeArgv(program, join(program.folder, program.entry));
    const how = { environment: {}, cwd: '/', input: pair.theirs, output: pair.theirs, error: 'ignore' } as const;
    const start = await startProgram(process.execPath, argv, how);
    pair.closeTheirs();
    if (start.kind === 'not_started') {
      pair.ours.destroy();
      return start;
    }
    const { pid, ended } = start.program;
    let isOver = false;
    const over = ended.then(({ exitCode, signal }) => {
      isOver = true;
      pair.ours.destroy();
      return `it ended with ${signal ?? `exit code ${exitCode}`}`;
    });
    const kill = (): void => {
      pair.ours.destroy();
      // Until it is reaped, its number cannot belong to another process. Its group: it may be waiting for getent.
      if (!isOver) killGroup(pid);
    };
    return { kind: 'started', worker: { socket: pair.ours, ended: over, kill } };
  };
}
