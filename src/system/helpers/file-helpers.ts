// Helper processes, which look at files and filesystems that may not answer.
import { accessSync } from 'node:fs';
import { type Clock, soon } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import { Slots } from '../../core/slots.ts';
import { formatDuration, withinWords } from '../../core/text/duration.ts';
import { quoted } from '../../core/text/printable.ts';
import { mountOf, readMounts } from '../files/mounts.ts';
import { startProgram } from '../spawn/command.ts';
import { killGroup } from '../spawn/kill-run.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { ProgramOutput, programEnding, type StartedProgram } from '../spawn/started-program.ts';

/** What a helper has said. */
type HelperAnswer =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly output: string }
  /** It did not answer, or could not be run; one line. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** One look by a helper. */
interface HelperTask {
  /** A program and its arguments, which looks at a file and ends. */
  readonly argv: readonly [string, ...string[]];
  /** The absolute path that it looks at, as the programs of this machine see it: what is on the same mount waits for the same. */
  readonly path: string;
  /** The mount that it is on; undefined: found by its path. */
  readonly mount?: string;
  /**
   * How much it reads. `part`: of a file, which may be somebody's FIFO, or folder: that it takes long says nothing about the mount. `whole`:
   * likewise, and of a file of any size: one at a time. Absent: it only asks the filesystem.
   */
  readonly reads?: 'part' | 'whole';
  /** Receives what it writes to stdout, as `execute` does; if absent, `output` has the end of it. */
  readonly take?: (chunk: Buffer) => boolean;
}

/** A mount that has not answered a helper in time. */
interface SilentMount {
  /** Since when it has not, and when it was asked last, in monotonic milliseconds. */
  readonly sinceMs: number;
  readonly askedMs: number;
  /** The helper was killed, and the kernel does not let it end. */
  readonly isHeld: boolean;
}

/**
 * Runs short programs that look at files and filesystems. A filesystem that does not answer, of a server that has gone perhaps, holds up
 * whoever asks it. So at most two helpers ask at once; one that does not answer in time is killed and not waited for; and what is on its
 * mount is not asked again while the kernel does not let it end, and else not before half a minute has passed.
 */
export class FileHelpers {
  readonly #clock: Clock;
  readonly #slots = new Slots(MOST_HELPERS);
  /** What reads whole files leaves one for what does not. */
  readonly #longSlots = new Slots(MOST_HELPERS - 1);
  readonly #silent = new Map<string, SilentMount>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs one. Ends within `timeoutMs`, or when `signal` aborts; one that reads, a second later. Never rejects. */
  async run(task: HelperTask, timeoutMs: number, signal: AbortSignal): Promise<HelperAnswer> {
    if (task.reads !== 'whole') return this.#run(task, timeoutMs, signal);
    const beganMs = this.#clock.monotonicMs();
    if (!(await this.#longSlots.take(timeoutMs, signal))) return unknown(signal.aborted ? 'aborted' : this.#whyNoSlot());
    const leftMs = Math.max(timeoutMs - (this.#clock.monotonicMs() - beganMs), 1);
    return this.#run(task, leftMs, signal).finally(() => this.#longSlots.release());
  }

  async #run(task: HelperTask, timeoutMs: number, signal: AbortSignal): Promise<HelperAnswer> {
    const mount = task.mount ?? mountOfPath(task.path);
    const silent = this.#whyNotAsked(mount);
    if (silent !== undefined) return unknown(silent);
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    if (!(await this.#slots.take(timeoutMs, signal))) return unknown(signal.aborted ? 'aborted' : this.#whyNoSlot());
    const leftMs = endMs - this.#clock.monotonicMs();
    // Others may have asked it while we waited.
    const reason = this.#whyNotAsked(mount);
    if (reason === undefined && !signal.aborted) return this.#ask(task, mount, leftMs, timeoutMs, signal);
    this.#slots.release();
    return unknown(reason ?? 'aborted');
  }

  /** With a slot, which it returns. */
  async #ask(
    { argv, path, reads, take }: HelperTask,
    mount: string,
    leftMs: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HelperAnswer> {
    const [file, ...rest] = argv;
    const start = await startProgram(file, rest, {
      environment: { ...minimalEnvironment(), ...PLAIN },
      cwd: '/',
      output: 'pipe',
    });
    if (start.kind === 'not_started') {
      this.#slots.release();
      return unknown(start.reason);
    }
    const { program } = start;
    const output = new ProgramOutput(program);
    program.stdout?.on('data', (chunk: Buffer) => {
      if (take?.(chunk) === false) program.stdout?.destroy();
    });
    void program.ended.then(() => this.#slots.release());
    const ending = await programEnding(program, leftMs, signal);
    if (ending.kind !== 'ended') {
      // As long as it is not reaped, its number cannot belong to another process.
      killGroup(program.pid);
      program.release();
      if (ending.kind === 'aborted') return unknown('aborted');
      if (reads === undefined) this.#noteSilence(mount, program);
      // It may only have had too much to read; what does not even end is another matter.
      else if (!(await this.#hasEnded(program))) this.#noteSilence(mount, program);
      if (reads !== undefined) return unknown(`${quoted(path)} was not read ${withinWords(timeoutMs)}`);
      return unknown(`${quoted(mount)} did not answer ${withinWords(timeoutMs)}`);
    }
    this.#silent.delete(mount);
    await output.finish();
    if (ending.exitCode !== null) return { kind: 'ended', exitCode: ending.exitCode, output: output.joined() };
    return unknown(`${file} was ended by ${ending.signal}`);
  }

  #noteSilence(mount: string, { ended }: StartedProgram): void {
    const askedMs = this.#clock.monotonicMs();
    const { sinceMs = askedMs } = this.#silent.get(mount) ?? {};
    this.#silent.set(mount, { sinceMs, askedMs, isHeld: true });
    void ended.then(() => this.#silent.set(mount, { sinceMs, askedMs, isHeld: false }));
  }

  /** Whether a helper that was killed ends within a second. */
  async #hasEnded({ ended }: StartedProgram): Promise<boolean> {
    return (await soon(this.#clock, KILLED_MS, ended)) !== 'late';
  }

  #whyNotAsked(mount: string): string | undefined {
    const silent = this.#silent.get(mount);
    if (silent === undefined) return undefined;
    const isDue = !silent.isHeld && this.#clock.monotonicMs() - silent.askedMs >= ASK_AGAIN_MS;
    return isDue ? undefined : `${quoted(mount)} has not answered for ${this.#sinceWords(silent)}`;
  }

  #whyNoSlot(): string {
    const held = [...this.#silent].filter(([, { isHeld }]) => isHeld);
    if (held.length === 0) return 'too many files are looked at';
    return `helpers wait for ${held.map(([mount, silent]) => `${quoted(mount)} (${this.#sinceWords(silent)})`).join(' and ')}`;
  }

  #sinceWords({ sinceMs }: SilentMount): string {
    return formatDuration(this.#clock.monotonicMs() - sinceMs);
  }
}

/** The path at which a helper of ours finds `path`, an absolute one of the programs of this machine. Touches no other filesystem. */
export function helperPath(path: string): string {
  try {
    accessSync(MACHINE_ROOT);
    return `${MACHINE_ROOT}${path.slice(1)}`;
  } catch {
    return path;
  }
}

function mountOfPath(path: string): string {
  try {
    return mountOf(path, readMounts());
  } catch (error) {
    return `/ (${errorMessage(error)})`;
  }
}

function unknown(reason: string): HelperAnswer {
  return { kind: 'unknown', reason };
}

/** Where we see the files of the machine, whatever our unit hides from us. */
const MACHINE_ROOT = '/proc/1/root/';
const MOST_HELPERS = 2;
const ASK_AGAIN_MS = 30_000;
const KILLED_MS = 1000;
/** Their messages are read by us. */
const PLAIN = { LC_ALL: 'C' } as const;
