import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { DirectCommandRunner } from '../../src/system/runs/direct.ts';
import { RunFiles } from '../../src/system/runs/files.ts';
import type { ShellCommand } from '../../src/system/runs/runner.ts';
import { RecordedLog } from './recorded-log.ts';
import { tempDir } from './temp-dir.ts';
import { waitFor } from './wait-for.ts';

/** A runner with a folder of its own; whatever its commands left behind is killed after the test. */
export class CommandWorld {
  readonly dir: string;
  readonly files: RunFiles;
  readonly runner: DirectCommandRunner;
  readonly log = new RecordedLog();
  readonly never = new AbortController().signal;
  #runs = 0;

  constructor(t: TestContext) {
    this.dir = tempDir(t);
    this.files = new RunFiles({ dir: join(this.dir, 'runs'), log: this.log });
    this.runner = new DirectCommandRunner(this.files);
    t.after(() => {
      for (const pid of this.carriers()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended by itself since the look.
        }
      }
    });
  }

  /** A command of this world: an action with 30 s, unless said. */
  command(line: string, more: Partial<ShellCommand> = {}): ShellCommand {
    const runId = `test-${process.pid}-${++this.#runs}`;
    const environment = { WORLD: this.dir, ...more.environment };
    return { line, kind: 'action', runId, description: 'a test', timeoutMs: 30_000, ...more, environment };
  }

  /** The pid that a command wrote into a file of this world, once it has. */
  async pid(file: string): Promise<number> {
    return await waitFor(`a pid in ${file}`, () => Number(read(join(this.dir, file)).match(/^(\d+)\n/)?.[1] ?? 0));
  }

  /** Living processes with this world in their environment. */
  carriers(): number[] {
    return new ProcessTable()
      .list(['environment', 'state'])
      .filter(({ environment, state }) => state !== 'Z' && environment?.includes(`WORLD=${this.dir}`))
      .map(({ pid }) => pid);
  }
}

/** True while the process runs; a zombie does not. */
export function runs(pid: number): boolean {
  const state = new ProcessTable().read(pid, ['state'])?.state;
  return state !== undefined && state !== 'Z';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
