// Starts programs without PID 1, and runs them to their end. The only file that imports execa.
import type { Options } from 'execa';
import type { CommandResult } from './command-result.ts';
import { minimalEnvironment } from './minimal-environment.ts';
import { OutputPipe } from './output-pipe.ts';
import {
  commandResult,
  killProgram,
  type ProgramExit,
  ProgramOutput,
  programEnding,
  type StartedProgram,
} from './started-program.ts';

/** Conditions for a program that we choose ourselves. */
interface ExecuteOptions {
  /** At this limit the program is killed with its process group and all descendants: TERM, then KILL after 2 s. */
  readonly timeoutMs: number;
  /** Aborting the signal kills the program the same way. */
  readonly signal?: AbortSignal;
  /** Variables that are added to the minimal environment; nothing else of our own environment is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The working directory; default `/`. */
  readonly cwd?: string;
  /**
   * Receives all that the program writes to stdout, as it comes; once it returns false that pipe is closed, which ends most
   * programs (SIGPIPE).
   */
  readonly take?: (chunk: Buffer) => boolean;
}

/**
 * `output` is stdout and stderr in the order of arrival; `stdout` is stdout alone, at most 64 KiB (its end), empty if the
 * program never ran.
 */
type ExecuteResult = CommandResult & { readonly stdout: string };

/**
 * Runs a program, by path or from the minimal PATH, without a shell: stdin is empty, session and process group are its own.
 * Resolves when the program exits, even if another process still holds its pipes; output beyond 64 KiB is read and dropped.
 * Never rejects.
 */
export async function execute(file: string, argv: readonly string[], options: ExecuteOptions): Promise<ExecuteResult> {
  if (options.signal?.aborted) return { kind: 'aborted', output: '', stdout: '' };
  const environment = { ...minimalEnvironment(), ...options.environment };
  const start = await startProgram(file, argv, { environment, cwd: options.cwd ?? '/', output: 'pipe' });
  if (start.kind === 'not_started') return { ...start, stdout: '' };
  const output = new ProgramOutput(start.program);
  const { stdout } = start.program;
  stdout?.on('data', (chunk: Buffer) => {
    if (options.take?.(chunk) === false) stdout.destroy();
  });
  const ending = await programEnding(start.program, options.timeoutMs, options.signal);
  if (ending.kind !== 'ended') await killProgram(start.program);
  await output.finish();
  return { ...commandResult(ending, options.timeoutMs, output.joined()), stdout: output.stdout() };
}

/** How a program is started; it inherits nothing from us that is not named here. */
export interface StartOptions {
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Where stdout and stderr go: to a pipe each, both to one open file, or nowhere. */
  readonly output: 'pipe' | 'ignore' | number;
  /** stderr goes nowhere instead. */
  readonly error?: 'ignore' | undefined;
  /** An open descriptor that becomes its standard input; the caller still owns it. If undefined, the input is empty. */
  readonly input?: number | undefined;
  /** argv[0]; default `file`. */
  readonly argv0?: string | undefined;
}

/** A running program, or why it was not started, in one line. */
export type StartResult =
  | { readonly kind: 'started'; readonly program: StartedProgram }
  | { readonly kind: 'not_started'; readonly reason: string };

/** Loads what starts programs now: later this process may not read its own files any more. */
export async function loadStarter(): Promise<void> {
  await import('execa');
}

/** Starts a program and leaves it running: only the caller kills it, and it outlives us. Never rejects. */
export async function startProgram(file: string, argv: readonly string[], options: StartOptions): Promise<StartResult> {
  const flaw = nulFlaw([file, ...argv, options.cwd, options.argv0 ?? ''], options.environment);
  if (flaw !== undefined) return { kind: 'not_started', reason: flaw };
  let pipes: OutputPipes | undefined;
  try {
    // Loaded with the first program that PID 1 does not run: a daemon at rest needs none.
    const { execa } = await import('execa');
    pipes = options.output === 'pipe' ? openPipes() : undefined;
    const subprocess = execa(file, argv, execaOptions(options, pipes));
    const child = subprocess.nodeChildProcess;
    const { pid } = child;
    if (pid === undefined) return { kind: 'not_started', reason: startFault(file, (await subprocess).code) };
    const ended = new Promise<ProgramExit>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ kind: 'ended', exitCode, signal }));
    });
    const stdout = pipes?.stdout.take() ?? child.stdout ?? undefined;
    const stderr = pipes?.stderr.take() ?? child.stderr ?? undefined;
    return { kind: 'started', program: { pid, stdout, stderr, ended, release: () => child.unref() } };
  } catch (error) {
    return { kind: 'not_started', reason: startFault(file, (error as NodeJS.ErrnoException).code) };
  } finally {
    pipes?.stdout.close();
    pipes?.stderr.close();
  }
}

interface OutputPipes {
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
}

/** A pipe each for stdout and stderr; undefined if there are none, and Node's socket pairs must be used. */
function openPipes(): OutputPipes | undefined {
  const stdout = OutputPipe.open();
  const stderr = OutputPipe.open();
  if (stdout !== undefined && stderr !== undefined) return { stdout, stderr };
  stdout?.close();
  stderr?.close();
  return undefined;
}

function execaOptions({ environment, cwd, output, error, input, argv0 }: StartOptions, pipes: OutputPipes | undefined) {
  // execa accepts any open descriptor; its types allow only those up to 9.
  const sink = (descriptor: number | undefined): 'pipe' | 'ignore' => (descriptor ?? output) as 'pipe' | 'ignore';
  return {
    env: environment,
    extendEnv: false,
    cwd,
    stdout: sink(pipes?.stdout.write),
    stderr: error ?? sink(pipes?.stderr.write),
    detached: true,
    cleanup: false,
    // execa itself waits until the pipes close, not for the exit: its promise is not used, and must not reject.
    buffer: false,
    reject: false,
    stdin: input === undefined ? ('ignore' as const) : sink(input),
    ...(argv0 === undefined ? {} : { argv0 }),
  } satisfies Options;
}

/** Names the place of a NUL byte, never the value that contains it: the value may be a secret. */
function nulFlaw(texts: readonly string[], environment: Readonly<Record<string, string>>): string | undefined {
  const variable = Object.entries(environment).find(([, value]) => value.includes('\0'));
  if (variable !== undefined) return `${variable[0]} holds a NUL byte, which no environment can hold`;
  return texts.some((text) => text.includes('\0')) ? 'the command holds a NUL byte' : undefined;
}

function startFault(file: string, code: string | undefined): string {
  const fault = START_FAULTS[code ?? ''] ?? 'cannot be started';
  return `${file}: ${fault}${code === undefined ? '' : ` (${code})`}`;
}

const START_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such program, or its working directory is gone',
  ENOTDIR: 'no such program, or its working directory is gone',
  EACCES: 'may not be executed, or its working directory may not be entered',
  EPERM: 'may not be executed as this user',
  ENOEXEC: 'is not a program for this machine',
  E2BIG: 'its arguments and environment are too long',
  EAGAIN: 'no more processes are allowed',
  ENOMEM: 'out of memory',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
};
