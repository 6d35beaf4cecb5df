import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

/** What stands between Node and the program in the ExecStart of a project's unit; of this project by default. */
export function nodeArgs(project = join(import.meta.dirname, '../..')): string[] {
  const unit = readFileSync(join(project, 'monitor_service.service'), 'utf8');
  const words = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  return words.slice(
    1,
    words.findIndex((word) => word.endsWith('.js')),
  );
}

/**
 * A program of this folder as a process of its own, with Node's options of the unit: it says `ready`, and answers each line of
 * its standard input with one of JSON.
 */
export class LineProgram {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #closed: Promise<unknown>;

  private constructor(child: ChildProcess, lines: Interface) {
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#lines = lines;
    this.#closed = once(child, 'close');
  }

  /** Throws where it ends before it is ready. */
  static async open(file: string, ...args: readonly string[]): Promise<LineProgram> {
    const argv = [...nodeArgs(), join(import.meta.dirname, file), ...args];
    const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    // Its end is told by its output's.
    child.stdin.on('error', () => {});
    const program = new LineProgram(child, createInterface({ input: child.stdout }));
    try {
      await program.#next();
    } catch (error) {
      throw new Error(`${file} does not run here`, { cause: error });
    }
    return program;
  }

  async ask<T>(line = ''): Promise<T> {
    const answer = this.#next();
    this.#child.stdin?.write(`${line}\n`);
    return JSON.parse(await answer) as T;
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  async #next(): Promise<string> {
    const ended = new AbortController();
    const closed = this.#closed.then(() => Promise.reject(new Error('it has ended')));
    try {
      const [line] = await Promise.race([once(this.#lines, 'line', { signal: ended.signal }), closed]);
      return String(line);
    } finally {
      ended.abort();
      closed.catch(() => {});
    }
  }
}
