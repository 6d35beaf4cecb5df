import type { Readable } from 'node:stream';
import { setImmediate as breathe, setTimeout as delay } from 'node:timers/promises';
import { MAX_TIMER_MS } from '../../core/clock.ts';
import { ProcessTable } from '../proc/table.ts';
import type { CommandResult } from './command-result.ts';
import { killRun } from './kill-run.ts';
import { OutputTail } from './output-tail.ts';

/** A program that we started: the leader of a session and process group of its own. */
export interface StartedProgram {
  readonly pid: number;
  /** Undefined where its output goes to no pipe. */
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Resolves when it has ended and been reaped, whoever holds its pipes. Never rejects. */
  readonly ended: Promise<ProgramExit>;
  /** From now on it doesn't keep our process alive; it is still reaped when it ends. */
  release(): void;
}

/** How a program ended: exactly one of the two is not null. */
export interface ProgramExit {
  readonly kind: 'ended';
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** What came first: the program's end, its time limit, or the abort. */
type Ending = ProgramExit | { readonly kind: 'timed_out' } | { readonly kind: 'aborted' };

/** Waits for a program's end, for `timeoutMs` to pass, or for `signal`, whichever is first; kills nothing. */
export function programEnding(program: StartedProgram, timeoutMs: number, signal?: AbortSignal): Promise<Ending> {
  return new Promise((resolve) => {
    const settle = (ending: Ending): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(ending);
    };
    const abort = (): void => settle({ kind: 'aborted' });
    const timer = setTimeout(() => settle({ kind: 'timed_out' }), Math.min(timeoutMs, MAX_TIMER_MS));
    // Taken off again at the end, not AbortSignal.any: the signal outlives thousands of commands.
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    void program.ended.then(settle);
  });
}

/** Kills all of a program (killRun) and waits until it has been reaped, if the kernel lets it die. Never rejects. */
export async function killProgram(program: StartedProgram, runId?: string, graceMs?: number): Promise<void> {
  // As long as `ended` hasn't resolved it is not reaped, and its number cannot have become another's.
  const startTime = new ProcessTable().read(program.pid, ['startTime'])?.startTime;
  await killRun({ pid: program.pid, startTime, runId }, graceMs);
  await programEnding(program, REAP_MS);
}

/** The outcome of a program that ran, in the words of the port. */
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

/** What a program writes into its pipes: read from the start on, its end kept, the rest drained. */
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
      // A broken pipe ends the output and is nobody's fault.
      stream.on('error', () => {});
    }
  }

  /**
   * Takes what is still in the pipes and lets go of them after a moment, `waitMs` at most: a process left behind may hold them for ever.
   */
  async finish(waitMs = DRAIN_MS): Promise<void> {
    const open = this.#streams.filter((stream) => !stream.closed);
    const closed = Promise.all(open.map((stream) => new Promise((resolve) => stream.once('close', resolve))));
    const moment = new AbortController();
    await Promise.race([closed, delay(waitMs, undefined, { signal: moment.signal }).catch(() => {})]);
    moment.abort();
    // The moment may be over before a loop that was held up has read what came long ago.
    for (let turn = 0, before = -1; turn < MOST_TURNS && before < this.#received; turn++) {
      before = this.#received;
      await breathe();
    }
    for (const stream of this.#streams) stream.destroy();
  }

  /** stdout and stderr as they came. */
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
/** One who never stops writing is not waited for. */
const MOST_TURNS = 100;
const REAP_MS = 2000;
