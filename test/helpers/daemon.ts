import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { waitFor } from './wait-for.ts';

/** The bundle that ships: `npm run build` makes it, and `npm test` builds first. */
export const bundle = join(import.meta.dirname, '../../dist/main.js');

/** How a run of the command line ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `monitor_service ARGS…` to its end. */
export async function runCli(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; limitMs?: number } = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [bundle, ...args], {
    env: { PATH: process.env.PATH ?? '', ...options.env },
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? 120_000);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  return { code: code as number | null, stdout: output.stdout(), stderr: output.stderr() };
}

/** A daemon of the test's own, as a child process. */
export class DaemonProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly stdout: () => string;
  readonly stderr: () => string;

  /** `launcher`: what stands before its command line, and becomes it (exec). */
  constructor(
    configFile: string,
    env: Record<string, string> = {},
    nodeArgs: readonly string[] = [],
    launcher: readonly string[] = [],
  ) {
    const [file = '', ...args] = [...launcher, process.execPath, ...nodeArgs, bundle, 'run', '--config', configFile];
    this.child = spawn(file, args, {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = collect(this.child);
    this.stdout = output.stdout;
    this.stderr = output.stderr;
    this.ended = once(this.child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
    }));
  }

  /** One whose loop runs, killed at the end of the test. */
  static async started(t: TestContext, ...how: ConstructorParameters<typeof DaemonProcess>): Promise<DaemonProcess> {
    const daemon = new DaemonProcess(...how);
    t.after(() => daemon.stop('SIGKILL'));
    await daemon.line(/ started \(pid \d+\)/);
    return daemon;
  }

  /** Waits until the daemon has written a line that matches. */
  async line(pattern: RegExp, limitMs = 120_000): Promise<void> {
    try {
      await waitFor(
        `a line ${pattern}`,
        () => pattern.test(this.stdout()) || pattern.test(this.stderr()) || this.#dead(),
        limitMs,
      );
    } catch (error) {
      throw new Error(`${String(error)}\nstdout:\n${this.stdout().slice(-4000)}\nstderr:\n${this.stderr().slice(-2000)}`);
    }
    if (!pattern.test(this.stdout()) && !pattern.test(this.stderr()))
      throw new Error(`the daemon ended before a line ${pattern}:\n${this.stdout()}\n${this.stderr()}`);
  }

  #dead(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Ends it as systemd would, or as a crash would; resolves at its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; signal: string | null }> {
    if (!this.#dead()) this.child.kill(signal);
    return this.ended;
  }
}

function collect(child: ChildProcess): { stdout: () => string; stderr: () => string } {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { stdout: () => stdout, stderr: () => stderr };
}
