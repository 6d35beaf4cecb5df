import type { CommandResult } from '../spawn/command-result.ts';

/** A shell line to be run, and under which conditions. */
export interface ShellCommand {
  /** The line for `bash -c` (`sh -c` where there is no bash), already expanded. */
  readonly line: string;
  /**
   * `check`: a health check: all it leaves behind dies with it. `action`: a pre-restart, restart, stop or start command: what
   * it leaves behind on a normal exit lives on; nothing it starts may hold a pipe of ours.
   */
  readonly kind: 'check' | 'action';
  /**
   * Unique to this run, `[a-z0-9-]{1,64}`, known before it starts: after a crash of the daemon `settle` finds the run by it.
   * It names the transient unit (`monitor_service-run-ID.service`), and stands in the environment as MONITOR_RUN_ID.
   */
  readonly runId: string;
  /** For people: `restart_command of nginx`. */
  readonly description: string;
  /** Added to the minimal environment (PATH, HOME, LANG …); never holds a secret of ours. */
  readonly environment: Readonly<Record<string, string>>;
  /** At this limit all of it is killed: TERM, and some 2 s later KILL. */
  readonly timeoutMs: number;
  /** Run as this user (name or uid); as ourselves where undefined. */
  readonly user?: string | undefined;
}

/** Runs shell lines where they belong: through PID 1 as transient units, or directly in a process group of their own. */
export interface CommandRunner {
  /** Resolves when the command itself has ended (never waits for a pipe to close) or was killed whole. Never rejects. */
  run(command: ShellCommand, signal: AbortSignal): Promise<CommandResult>;
  /**
   * A run of an earlier life of the daemon: resolves when nothing of that run's own command is going on any more: `not_found`
   * (it is over, or never began) or `ended` (it was still running and has now ended). Bounded by `timeoutMs`, after which the
   * run is killed. What a command left behind on a normal exit is not waited for and never killed.
   */
  settle(runId: string, timeoutMs: number, signal: AbortSignal): Promise<'not_found' | 'ended'>;
}

/** Whether a run can bear that id. */
export function isRunId(text: string): boolean {
  return /^[a-z0-9-]{1,64}$/.test(text);
}
