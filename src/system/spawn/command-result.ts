import { formatDuration } from '../../core/text/duration.ts';
import { lastLines, withLines } from '../../core/text/last-lines.ts';

/** How a command ended. `output`: stdout and stderr together, at most 64 KiB (their end), printable or not. */
export type CommandResult =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly output: string }
  | { readonly kind: 'signaled'; readonly signal: string; readonly output: string }
  | { readonly kind: 'timed_out'; readonly afterMs: number; readonly output: string }
  /** The signal given to `run` aborted the command. */
  | { readonly kind: 'aborted'; readonly output: string }
  /** The command ran, and its result is unknown. */
  | { readonly kind: 'lost'; readonly reason: string; readonly output: string }
  /** The command never ran: there is no shell or no such user, or systemd refused. */
  | { readonly kind: 'not_started'; readonly reason: string };

/** How a command failed, in one line, followed by its last lines of output; undefined if it ended with exit code 0. */
export function commandFailure(result: CommandResult): string | undefined {
  switch (result.kind) {
    case 'exited':
      return result.exitCode === 0 ? undefined : withOutput(`exit code ${result.exitCode}`, result.output);
    case 'signaled':
      return withOutput(`killed by ${result.signal}`, result.output);
    case 'timed_out':
      return withOutput(`still running after ${formatDuration(result.afterMs)}, killed`, result.output);
    case 'aborted':
      return 'aborted';
    case 'lost':
      return withOutput(`how it ended is not known: ${result.reason}`, result.output);
    case 'not_started':
      return `not started: ${result.reason}`;
    default:
      return result satisfies never;
  }
}

/** The last lines of a command's output, at most 5, printable, as in a failure; no property if there are none. */
export function commandOutput(result: CommandResult): { readonly output?: readonly string[] } {
  const output = result.kind === 'not_started' ? [] : lastLines(result.output, MAX_LINES);
  return output.length === 0 ? {} : { output };
}

function withOutput(reason: string, output: string): string {
  return withLines(reason, lastLines(output, MAX_LINES));
}

const MAX_LINES = 5;

/** What a shell exits with if it finds no command, or may not run it. */
export const NO_COMMAND: readonly number[] = [126, 127];
