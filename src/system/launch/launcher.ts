import type { LaunchRecord } from '../../core/program/launch-record.ts';

/** What is to be started and to outlive the daemon. */
export interface Launch {
  /** Names the unit: `monitor_service-app-NAME.service`, escaped (systemd-escape(1)). */
  readonly systemName: string;
  /** Which copy of it, from 1, which is the default; each lives in a unit of its own. */
  readonly copy?: number;
  /** Stands in the program's environment as MONITOR_RUN_ID. */
  readonly runId: string;
  /** Within this time systemd has to take it; what runs then runs on. */
  readonly timeoutMs: number;
  /** A shell line (`start_command`, already expanded), or argv with its own surroundings. */
  readonly what:
    | {
        readonly kind: 'line';
        readonly line: string;
        readonly environment: Readonly<Record<string, string>>;
        readonly user: string | undefined;
      }
    | { readonly kind: 'argv'; readonly record: LaunchRecord };
}

/** How a launch went. */
export type LaunchResult =
  | {
      readonly kind: 'launched';
      /** Where known. */
      readonly pid: number | undefined;
      /** What a line that has ended left behind and is known by nothing else: the topmost pids; absent where there is none. */
      readonly left?: readonly number[];
      /**
       * The same of one that changes the user and takes its time, resolved when it has ended within 10 s; absent where it does
       * not. Never rejects.
       */
      readonly leaves?: Promise<readonly number[]>;
      /** What of a record's surroundings it has not, one line each, printable; absent where it has all. */
      readonly remarks?: readonly string[];
    }
  /** `output`: the last lines that it wrote, at most 5, printable; absent if there are none. */
  | { readonly kind: 'failed'; readonly reason: string; readonly output?: readonly string[] };

/**
 * Starts programs that outlive the daemon: in a transient unit named after the process (`RemainAfterExit=yes`, the old unit
 * stopped first) where systemd runs and we are root, else in a new session with no pipe of ours.
 */
export interface ProgramLauncher {
  /** The process whose rights and namespaces a launched program gets before it gives any up: PID 1, or the daemon. */
  readonly starter: number;
  /**
   * Waits until programs can be started, at most `timeoutMs`: why they cannot, in one line; undefined where they can. To be asked before
   * anything is stopped. Never rejects.
   */
  unready(timeoutMs: number, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Resolves once it is under way. A line that ends with exit code 0 within `graceMs` has left its daemon behind: launched; with
   * another code, or by a signal: failed, with its last lines of output; one that is still running then stays in the foreground:
   * launched. Never rejects.
   */
  launch(launch: Launch, graceMs: number, signal: AbortSignal): Promise<LaunchResult>;
  /** Stops the units of earlier launches, of all copies, and frees their names; nothing where there is none. Never rejects. */
  retire(systemName: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
}
