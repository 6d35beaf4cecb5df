// The port that starts programs which outlive the daemon.

import type { LaunchRecord } from '../../core/program/launch-record.ts';

/** A program to be started that outlives the daemon. */
export interface Launch {
  /** Names the unit: `monitor_service-app-NAME.service`, escaped (systemd-escape(1)). */
  readonly systemName: string;
  /** The number of the copy, from 1, which is the default. Each copy runs in a unit of its own. */
  readonly copy?: number;
  /** Set in the program's environment as MONITOR_RUN_ID. */
  readonly runId: string;
  /** How long systemd may take to accept the start, in milliseconds. The program then runs without limit. */
  readonly timeoutMs: number;
  /** A shell line (`start_command`, already expanded), or an argv with its own surroundings. */
  readonly what:
    | {
        readonly kind: 'line';
        readonly line: string;
        readonly environment: Readonly<Record<string, string>>;
        readonly user: string | undefined;
      }
    | { readonly kind: 'argv'; readonly record: LaunchRecord };
}

/** The result of a launch. */
export type LaunchResult =
  | {
      readonly kind: 'launched';
      /** The pid of the program, if it is known. */
      readonly pid: number | undefined;
      /** The topmost pids of what an ended line left behind and nothing else knows; absent if there are none. */
      readonly left?: readonly number[];
      /**
       * The same for a line that changes the user and takes longer; resolves when it has ended, within 10 s. Absent if it does
       * not change the user. Never rejects.
       */
      readonly leaves?: Promise<readonly number[]>;
      /** Which recorded surroundings the program does not have, one line each, printable; absent if it has all. */
      readonly remarks?: readonly string[];
    }
  /** `output`: the last lines that it wrote, at most 5, printable; absent if there are none. */
  | { readonly kind: 'failed'; readonly reason: string; readonly output?: readonly string[] };

/**
 * Starts programs that outlive the daemon. If systemd runs and we are root, each runs in a transient unit named after the
 * process (`RemainAfterExit=yes`, the old unit is stopped first), else in a new session without any pipe of ours.
 */
export interface ProgramLauncher {
  /** The process whose rights and namespaces a launched program gets before it gives any up: PID 1, or the daemon. */
  readonly starter: number;
  /**
   * Waits until programs can be started, at most `timeoutMs`. Returns one line why they cannot, or undefined if they can. Must
   * be called before anything is stopped. Never rejects.
   */
  unready(timeoutMs: number, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Resolves when the program has been started. A line that ends with exit code 0 within `graceMs` has left its daemon behind:
   * launched. One that ends with another code or by a signal: failed, with its last lines of output. One that still runs then
   * stays in the foreground: launched. Never rejects.
   */
  launch(launch: Launch, graceMs: number, signal: AbortSignal): Promise<LaunchResult>;
  /**
   * Stops the units of earlier launches, of all copies, and frees their names. Does nothing if there are none. Returns one line if
   * something of them still runs. Never rejects.
   */
  retire(systemName: string, timeoutMs: number, signal: AbortSignal): Promise<string | undefined>;
}
