import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { CommandResult } from './command-runner.ts';
import { killRun } from './kill-run.ts';
import { OutputTail } from './output-tail.ts';
import { readProcessStat } from './process-stat.ts';

/** Conditions of a program that we choose ourselves. */
export interface ExecuteOptions {
  /** At this limit its process group and all its descendants are killed: TERM, KILL after 2 s. */
  readonly timeoutMs: number;
  /** Kills it the same way. */
  readonly signal?: AbortSignal;
  /** Added to the minimal environment; nothing of our own environment is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Default `/`. */
  readonly cwd?: string;
}

/** `output` is stdout and stderr as they came; `stdout` is that alone, at most 64 KiB (the end of it), empty where it never ran. */
export type ExecuteResult = CommandResult & { readonly stdout: string };

/**
 * Runs a program, by path or from the minimal PATH, without a shell: stdin empty, a session and process group of its own.
 * Resolves at its exit, however long somebody else holds its pipes; what it wrote beyond 64 KiB is drained. Never rejects.
 */
export async function execute(file: string, argv: readonly string[], options: ExecuteOptions): Promise<ExecuteResult> {
  if (options.signal?.aborted) return { kind: 'aborted', output: '', stdout: '' };
  const environment = { ...minimalEnvironment(), ...options.environment };
  const start = await startProgram(file, argv, { environment, cwd: options.cwd ?? '/', output: 'pipe' });
  if (start.kind === 'not_started') return { ...start, stdout: '' };
  const { program } = start;
  const output = new ProgramOutput(program);
  const ending = await programEnding(program, options.timeoutMs, options.signal);
  if (ending.kind !== 'ended') await killProgram(program, undefined);
  await output.finish();
  return { ...commandResult(ending, options.timeoutMs, output.joined()), stdout: output.stdout() };
}

/** How a program is started: with nothing of ours that is not named here. */
export interface StartOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Where stdout and stderr go: a pipe each (in fact a socket), one open file, or nowhere. */
  readonly output: 'pipe' | 'ignore' | number;
  /** An open file for stdin; empty where undefined. */
  readonly input?: number;
  /** argv[0], where it is not `file`. */
  readonly argv0?: string;
  /** Takes this user and group, and leaves all supplementary groups; root only. */
  readonly identity?: { readonly uid: number; readonly gid: number };
}

/** A program that runs, the leader of a session and process group of its own. */
export interface StartedProgram {
  readonly pid: number;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Resolves at its exit, when it has been reaped; never rejects. */
  readonly ended: Promise<ProgramExit>;
  /** From now on it doesn't keep our process alive; it is still reaped when it ends. */
  release(): void;
}

export interface ProgramExit {
  readonly kind: 'ended';
  /** null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export type StartResult =
  | { readonly kind: 'started'; readonly program: StartedProgram }
  | { readonly kind: 'not_started'; readonly reason: string };

/** Starts a program and lets it run: nobody kills it but the caller, and it outlives us. Never rejects. */
export async function startProgram(file: string, argv: readonly string[], options: StartOptions): Promise<StartResult> {
  const flaw = nulFlaw([file, ...argv, options.cwd], options.environment);
  if (flaw !== undefined) return { kind: 'not_started', reason: flaw };
  const { output, input, argv0, identity } = options;
  try {
    const subprocess = execa(file, argv, {
      env: options.environment,
      extendEnv: false,
      cwd: options.cwd,
      stdin: input ?? 'ignore',
      stdout: output,
      stderr: output,
      detached: true,
      cleanup: false,
      // execa would wait for the pipes to close; here the streams are read, and given up, by the caller.
      buffer: false,
      reject: false,
      ...(argv0 === undefined ? {} : { argv0 }),
      ...(identity === undefined ? {} : identity),
    });
    const child = subprocess.nodeChildProcess;
    const { pid } = child;
    if (pid === undefined) return { kind: 'not_started', reason: startFault(file, (await subprocess).code) };
    const ended = new Promise<ProgramExit>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ kind: 'ended', exitCode, signal }));
    });
    const stream = (readable: Readable | null | undefined): Readable | undefined =>
      (output === 'pipe' && readable) || undefined;
    const program = { pid, stdout: stream(child.stdout), stderr: stream(child.stderr), ended, release: () => child.unref() };
    return { kind: 'started', program };
  } catch (error) {
    return { kind: 'not_started', reason: startFault(file, (error as NodeJS.ErrnoException).code) };
  }
}

/** Waits for a program's exit, for `timeoutMs` to pass, or for `signal`, whichever is first. */
export async function programEnding(
  program: StartedProgram,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<ProgramExit | { readonly kind: 'timed_out' | 'aborted' }> {
  const over = new AbortController();
  const limit = AbortSignal.any(signal === undefined ? [over.signal] : [over.signal, signal]);
  const limitPassed = delay(Math.min(timeoutMs, MAX_TIMER_MS), 'timed_out' as const, { signal: limit }).catch(
    () => 'aborted' as const,
  );
  const ending = await Promise.race([program.ended, limitPassed.then((kind) => ({ kind }))]);
  over.abort();
  return ending;
}

/** Kills all of a program (killRun) and waits until it has been reaped, if the kernel lets it die. */
export async function killProgram(program: StartedProgram, runId: string | undefined): Promise<void> {
  await killRun({ pid: program.pid, startTime: readProcessStat(program.pid)?.startTime, runId });
  await Promise.race([program.ended, delay(REAP_MS, undefined, { ref: false })]);
}

/** What a program writes into its pipes, read from the start on. */
export class ProgramOutput {
  readonly #streams: readonly Readable[];
  readonly #joined = new OutputTail();
  readonly #stdout = new OutputTail();

  constructor({ stdout, stderr }: StartedProgram) {
    stdout?.on('data', (chunk: Buffer) => {
      this.#joined.push(chunk);
      this.#stdout.push(chunk);
    });
    stderr?.on('data', (chunk: Buffer) => this.#joined.push(chunk));
    this.#streams = [stdout, stderr].filter((stream) => stream !== undefined);
    // A broken pipe ends the output and is nobody's fault.
    for (const stream of this.#streams) stream.on('error', () => {});
  }

  /** Takes what is still in the pipes and lets go of them, though a process left behind may hold them open for ever. */
  async finish(): Promise<void> {
    const ends = this.#streams.map((stream) => stream.closed || new Promise((resolve) => stream.once('close', resolve)));
    const moment = new AbortController();
    await Promise.race([Promise.all(ends), delay(DRAIN_MS, undefined, { signal: moment.signal }).catch(() => {})]);
    moment.abort();
    for (const stream of this.#streams) stream.destroy();
  }

  joined(): string {
    return this.#joined.text();
  }

  stdout(): string {
    return this.#stdout.text();
  }
}

/** The outcome of a program that ran, in the words of the port. */
export function commandResult(
  ending: ProgramExit | { readonly kind: 'timed_out' | 'aborted' },
  timeoutMs: number,
  output: string,
): CommandResult {
  if (ending.kind === 'timed_out') return { kind: 'timed_out', afterMs: timeoutMs, output };
  if (ending.kind === 'aborted') return { kind: 'aborted', output };
  if (ending.exitCode === null) return { kind: 'signaled', signal: ending.signal ?? 'a signal', output };
  return { kind: 'exited', exitCode: ending.exitCode, output };
}

/** PATH, HOME, LANG and little more: nothing that could hold a secret of ours. */
export function minimalEnvironment(): Record<string, string> {
  const { HOME, USER, LANG, TZ } = process.env;
  const user = USER ?? (process.getuid?.() === 0 ? 'root' : undefined);
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: HOME ?? (process.getuid?.() === 0 ? '/root' : '/'),
    LANG: LANG ?? 'C.UTF-8',
    ...(user === undefined ? {} : { USER: user, LOGNAME: user }),
    ...(TZ === undefined ? {} : { TZ }),
  };
}

const MAX_TIMER_MS = 2 ** 31 - 1;
const DRAIN_MS = 100;
const REAP_MS = 2000;

/** Names the place of a NUL byte, never the value around it: it may be a secret. */
function nulFlaw(texts: readonly string[], environment: Readonly<Record<string, string>>): string | undefined {
  const variable = Object.entries(environment).find(([, value]) => value.includes('\0'));
  if (variable !== undefined) return `${variable[0]} holds a NUL byte, which no environment can hold`;
  return texts.some((text) => text.includes('\0')) ? 'the command holds a NUL byte' : undefined;
}

function startFault(file: string, code: string | undefined): string {
  return `${file}: ${START_FAULTS[code ?? ''] ?? 'cannot be started'}${code === undefined ? '' : ` (${code})`}`;
}

const START_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such program, or its working directory is gone',
  ENOTDIR: 'no such program, or its working directory is gone',
  EACCES: 'may not be executed, or its working directory may not be entered',
  EPERM: 'may not be executed as this user',
  ENOEXEC: 'is no program for this machine',
  E2BIG: 'its arguments and environment are too long',
  EAGAIN: 'no more processes are allowed',
  ENOMEM: 'out of memory',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
};
