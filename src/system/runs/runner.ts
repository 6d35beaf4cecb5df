// The port that runs commands.

import type { CommandResult } from '../spawn/command-result.ts';

/** A shell line to be run, and its conditions. */
export interface ShellCommand {
  /** The line for `bash -c` (`sh -c` if there is no bash), already expanded. */
  readonly line: string;
  /**
   * `check`: a health check. Everything that it leaves behind is killed when it ends. `action`: a pre-restart, restart, stop or
   * start command. What it leaves behind at a normal exit lives on; nothing that it starts may hold a pipe of ours.
   */
  readonly kind: 'check' | 'action';
  /**
   * Unique to this run, `[a-z0-9-]{1,64}`, known before it starts: after a crash of the daemon `waitForRun` finds the run by
   * it. It names the transient unit (`monitor_service-run-ID.service`), and is set in the environment as MONITOR_RUN_ID.
   */
  readonly runId: string;
  /** For people: `restart_command of nginx`. */
  readonly description: string;
  /** Added to the minimal environment (PATH, HOME, LANG …). Never holds a secret of ours. */
  readonly environment: Readonly<Record<string, string>>;
  /** After this time all of it is killed: TERM, and some 2 s later KILL. In milliseconds. */
  readonly timeoutMs: number;
  /** The user to run it as (name or uid); our own if undefined. */
  readonly user?: string | undefined;
}

/** Runs shell lines: through PID 1 as transient units, or directly in a process group of their own. */
export interface CommandRunner {
  /**
   * Resolves when the command itself has ended (never waits for a pipe to close), or when all of it was killed. Never rejects.
   */
  run(command: ShellCommand, signal: AbortSignal): Promise<CommandResult>;
  /**
   * Waits for a run from an earlier run of the daemon. Resolves when nothing of that command itself is running any more:
   * `not_found` (it is over, or never began) or `ended` (it was still running and has now ended). After `timeoutMs` the command
   * is killed. What a command left behind at a normal exit is not waited for and never killed.
   */
  waitForRun(runId: string, timeoutMs: number, signal: AbortSignal): Promise<'not_found' | 'ended'>;
}

/** True if the text is a valid run id. */
export function isRunId(text: string): boolean {
  return /^[a-z0-9-]{1,64}$/.test(text);
}
