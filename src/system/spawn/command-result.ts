import { formatDuration } from '../../core/text/duration.ts';
import { lastLines, withLines } from '../../core/text/last-lines.ts';

/** How a command ended. `output`: stdout and stderr together, at most 64 KiB (the end of it), printable or not. */
export type CommandResult =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly output: string }
  | { readonly kind: 'signaled'; readonly signal: string; readonly output: string }
  | { readonly kind: 'timed_out'; readonly afterMs: number; readonly output: string }
  /** The signal given to `run` aborted it. */
  | { readonly kind: 'aborted'; readonly output: string }
  /** It ran, and nobody can tell how it ended. */
  | { readonly kind: 'lost'; readonly reason: string; readonly output: string }
  /** It never ran: no shell, no such user, systemd refused. */
  | { readonly kind: 'not_started'; readonly reason: string };

/** One line saying how a command failed, its last lines of output after it; undefined where it ended with exit code 0. */
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

/** The last lines of a command's output, at most 5, printable, as a failure has them; nothing if there are none. */
export function commandOutput(result: CommandResult): { readonly output?: readonly string[] } {
  const output = result.kind === 'not_started' ? [] : lastLines(result.output, MOST_LINES);
  return output.length === 0 ? {} : { output };
}

function withOutput(reason: string, output: string): string {
  return withLines(reason, lastLines(output, MOST_LINES));
}

const MOST_LINES = 5;
