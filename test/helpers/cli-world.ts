import type { CliBackends } from '../../src/app/backends.ts';
import type { DaemonSignals } from '../../src/app/daemon.ts';
import { runCli } from '../../src/cli/cli.ts';
import type { TextStream } from '../../src/cli/terminal/output.ts';
import { smallBackends } from './small-backends.ts';

/** How a command line ended, run in this process. */
export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the backends were asked. */
  readonly calls: readonly unknown[];
}

export interface CliRunOptions {
  readonly backends?: Partial<CliBackends>;
  readonly env?: Record<string, string>;
  readonly isRoot?: boolean;
  /** What a person at the terminal answers; else there is none. */
  readonly answer?: boolean;
  /** Else every command is told to stop at once. */
  readonly signals?: DaemonSignals;
  /** Columns and rows where standard output is to be a terminal. */
  readonly terminal?: readonly [number, number];
}

/** Runs a command line with small backends and kept output. */
export async function runCommand(argv: readonly string[], options: CliRunOptions = {}): Promise<CliRun> {
  const { backends, calls } = smallBackends(options.backends);
  let stdout = '';
  let stderr = '';
  const stream = (keep: (text: string) => void): TextStream => ({
    write: (text, done) => {
      keep(text);
      done?.();
    },
    on: () => {},
  });
  const [columns, rows] = options.terminal ?? [0, 0];
  const out = stream((text) => {
    stdout += text;
  });
  const code = await runCli(
    argv,
    {
      stdout: options.terminal === undefined ? out : { ...out, isTTY: true, columns, rows },
      stderr: stream((text) => {
        stderr += text;
      }),
      env: options.env ?? {},
      ask: options.answer === undefined ? undefined : async () => options.answer === true,
      isRoot: options.isRoot ?? true,
      version: '9.9.9',
      listenForSignals: () => options.signals ?? { onStop: (handler) => handler(), onAbort: () => {}, onReload: () => {} },
    },
    async () => backends,
  );
  return { code, stdout, stderr, calls };
}
