// A program that we started ourselves: its end, its output, and how it is killed.
import type { Readable } from 'node:stream';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { MAX_TIMER_MS } from '../../core/clock.ts';
import { ProcessTable } from '../proc/table.ts';
import type { CommandResult } from './command-result.ts';
import { killRun } from './kill-run.ts';
import { OutputTail } from './output-tail.ts';

/** A program that we started: the leader of a session and process group of its own. */
export interface StartedProgram {
  readonly pid: number;
  /** Undefined if its output goes to no pipe. */
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Resolves when the program has ended and been reaped, even if others hold its pipes. Never rejects. */
  readonly ended: Promise<ProgramExit>;
  /** From now on it does not keep our process alive; it is still reaped when it ends. */
  release(): void;
}

/** How a program ended: exactly one of the two is not null. */
export interface ProgramExit {
  readonly kind: 'ended';
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** What happened first: the program ended, its time limit passed, or it was aborted. */
type Ending = ProgramExit | { readonly kind: 'timed_out' } | { readonly kind: 'aborted' };

/** Waits until a program ends, `timeoutMs` has passed, or `signal` is aborted, whichever is first; kills nothing. */
export function programEnding(program: StartedProgram, timeoutMs: number, signal?: AbortSignal): Promise<Ending> {
  return new Promise((resolve) => {
    const finish = (ending: Ending): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(ending);
    };
    const abort = (): void => finish({ kind: 'aborted' });
    const timer = setTimeout(() => finish({ kind: 'timed_out' }), Math.min(timeoutMs, MAX_TIMER_MS));
    // Removed at the end; AbortSignal.any is not used: the signal outlives thousands of commands.
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    void program.ended.then(finish);
  });
}

/** Kills all processes of a program (killRun) and waits until it has been reaped, if the kernel lets it die. Never rejects. */
export async function killProgram(program: StartedProgram, runId?: string, graceMs?: number): Promise<void> {
  // As long as `ended` has not resolved it is not reaped, and its number cannot belong to another process.
  const startTime = new ProcessTable().read(program.pid, ['startTime'])?.startTime;
  await killRun({ pid: program.pid, startTime, runId }, graceMs);
  await programEnding(program, REAP_MS);
}

/** Converts the end of a program to a CommandResult. */
export function commandResult(ending: Ending, timeoutMs: number, output: string): CommandResult {
  switch (ending.kind) {
    case 'timed_out':
      return { kind: 'timed_out', afterMs: timeoutMs, output };
    case 'aborted':
      return { kind: 'aborted', output };
    case 'ended':
      if (ending.exitCode !== null) return { kind: 'exited', exitCode: ending.exitCode, output };
      return { kind: 'signaled', signal: ending.signal ?? 'a signal', output };
    default:
      return ending satisfies never;
  }
}

/** What a program writes to its pipes: read from the start on; the end is kept, the rest is dropped. */
export class ProgramOutput {
  readonly #streams: readonly Readable[];
  readonly #joined = new OutputTail();
  #received = 0;
  readonly #stdout = new OutputTail();
  readonly #stderr = new OutputTail();

  constructor({ stdout, stderr }: Pick<StartedProgram, 'stdout' | 'stderr'>) {
    this.#streams = [stdout, stderr].filter((stream) => stream !== undefined);
    for (const stream of this.#streams) {
      stream.on('data', (chunk: Buffer) => {
        this.#received += chunk.length;
        this.#joined.push(chunk);
        (stream === stdout ? this.#stdout : this.#stderr).push(chunk);
      });
      // A broken pipe ends the output and is not a fault.
      stream.on('error', () => {});
    }
  }

  /**
   * Reads what is still in the pipes and closes them after at most `waitMs`: a process that the program left behind may hold
   * them forever.
   */
  async finish(waitMs = DRAIN_MS): Promise<void> {
    const open = this.#streams.filter((stream) => !stream.closed);
    const closed = Promise.all(open.map((stream) => new Promise((resolve) => stream.once('close', resolve))));
    const wait = new AbortController();
    await Promise.race([closed, delay(waitMs, undefined, { signal: wait.signal }).catch(() => {})]);
    wait.abort();
    // The time may be over before a loop that was held up has read what arrived long ago.
    for (let turn = 0, before = -1; turn < MAX_TURNS && before < this.#received; turn++) {
      before = this.#received;
      await nextTurn();
    }
    for (const stream of this.#streams) stream.destroy();
  }

  /** stdout and stderr in the order of arrival. */
  joined(): string {
    return this.#joined.text();
  }

  stdout(): string {
    return this.#stdout.text();
  }

  stderr(): string {
    return this.#stderr.text();
  }
}

const DRAIN_MS = 100;
/** A program that never stops writing is not waited for. */
const MAX_TURNS = 100;
const REAP_MS = 2000;
