import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createExecution, type Execution } from '../../../src/system/execution.ts';
import { DirectCommandRunner } from '../../../src/system/runs/direct.ts';
import { RunFiles } from '../../../src/system/runs/files.ts';
import type { CommandRunner, ShellCommand } from '../../../src/system/runs/runner.ts';
import type { CommandResult } from '../../../src/system/spawn/command-result.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** A folder of its own and everything that runs things, for one test under a real systemd. */
export interface Runs extends Execution {
  readonly dir: string;
  readonly direct: CommandRunner;
  /** Runs a line; an action of 30 s unless said otherwise. */
  run(line: string, how?: Partial<ShellCommand> & { readonly signal?: AbortSignal }): Promise<CommandResult>;
  /** The text of a file in `dir`; empty where there is none. */
  text(name: string): string;
  /** The process whose number a command wrote to a file in `dir`, once it is there; it is killed after the test. */
  pid(name: string): Promise<number>;
}

export function openRuns(t: TestContext): Runs {
  const dir = mkdtempSync('/var/lib/runs-test-');
  const pids: number[] = [];
  t.after(() => {
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  const execution = createExecution({ stateDir: dir, log: silentLog });
  const text = (name: string): string => {
    try {
      return readFileSync(join(dir, name), 'utf8');
    } catch {
      return '';
    }
  };
  return {
    ...execution,
    dir,
    direct: new DirectCommandRunner(new RunFiles({ dir: join(dir, 'direct'), log: silentLog })),
    run: (line, { signal = new AbortController().signal, ...how } = {}) =>
      execution.commands.run(shellCommand(`cd ${dir}; ${line}`, how), signal),
    text,
    pid: async (name) => {
      await waitFor(`a number in ${name}`, () => /^\d+\n$/.test(text(name)));
      pids.push(Number(text(name)));
      return Number(text(name));
    },
  };
}

export function shellCommand(line: string, how: Partial<ShellCommand> = {}): ShellCommand {
  return { line, kind: 'action', runId: randomUUID(), description: 'a test', environment: {}, timeoutMs: 30_000, ...how };
}

/** Lines of `systemctl list-units` for our runs that systemd still knows. */
export function knownUnits(pattern: string): string[] {
  const argv = ['list-units', '--all', '--plain', '--no-legend', '--no-pager', pattern];
  return execFileSync('systemctl', argv, { encoding: 'utf8' }).split('\n').filter(Boolean);
}
