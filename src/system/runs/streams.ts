import { closeSync } from 'node:fs';
import { OutputPipe } from '../spawn/output-pipe.ts';
import { openScript, type Script } from '../spawn/script.ts';
import { ProgramOutput } from '../spawn/started-program.ts';
import type { RunFile } from './file.ts';

/**
 * What a run is given: its text, a pipe for what precedes the command's output, and another pipe, or a file, for that output.
 */
export class RunStreams {
  readonly #file: RunFile | undefined;
  #given: (() => void)[] = [];
  #output: ProgramOutput | undefined;
  #recorded = false;

  constructor(file: RunFile | undefined) {
    this.#file = file;
  }

  /** Opens the run's own ends; undefined if none are available. Throws if its text cannot be written. */
  open(script: Script): { readonly input: number; readonly output: number; readonly error: number } | undefined {
    const preamble = this.#pipe();
    const pipe = this.#file === undefined ? this.#pipe() : undefined;
    if (preamble === undefined || (this.#file === undefined && pipe === undefined)) return undefined;
    this.#output = new ProgramOutput({ stderr: preamble.take(), stdout: pipe?.take() });
    const input = openScript(script);
    this.#given.push(() => closeSync(input));
    return { input, output: pipe?.write ?? this.#file?.fd ?? -1, error: preamble.write };
  }

  /** Closes our copies of the run's own ends. */
  closeGiven(): void {
    for (const close of this.#given) close();
    this.#given = [];
  }

  /** Records which process it is. */
  record(pid: number): void {
    if (!this.#recorded) this.#file?.record(pid);
    this.#recorded = true;
  }

  /**
   * Returns the output when no more is to be expected. If `isComplete`, returns at once, although some process may still hold
   * its pipe for a while.
   */
  async finish(isComplete: boolean): Promise<{ readonly preamble: string; readonly output: string }> {
    await this.#output?.finish(isComplete ? 0 : undefined);
    return { preamble: this.#output?.stderr() ?? '', output: this.#file?.text() ?? this.#output?.stdout() ?? '' };
  }

  #pipe(): OutputPipe | undefined {
    const pipe = OutputPipe.open();
    if (pipe !== undefined) this.#given.push(() => pipe.close());
    return pipe;
  }
}
