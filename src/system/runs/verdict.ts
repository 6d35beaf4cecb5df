// How a transient run ended, as its unit shows it.
import { signalName } from '../../core/process/wait-status.ts';
import { printable } from '../../core/text/printable.ts';
import type { CommandResult } from '../spawn/command-result.ts';
import { CLD_DUMPED, CLD_EXITED, CLD_KILLED } from '../systemd/exec-commands.ts';
import type { TransientState } from '../systemd/transient-follower.ts';

/** How a transient run ended. */
export type RunVerdict =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: string }
  | { readonly kind: 'timed_out' }
  /** The command never ran. */
  | { readonly kind: 'not_started'; readonly reason: string }
  /** It ran, but nobody reports how it ended. */
  | { readonly kind: 'lost'; readonly reason: string };

/** What the run's shell writes, on a descriptor that only it can write to, before it becomes the command. */
export const BEGUN = 'monitor_service:begun';

/**
 * Returns the verdict on a run that is over, from how systemd reports its end. `preamble`: what was written before the command
 * began. The exit code alone is not enough, because systemd's own faults (203/EXEC) are exit codes too.
 */
export function verdictOf({ result, code, status }: TransientState, preamble: string): RunVerdict {
  const lines = preamble.split('\n');
  if (!lines.includes(BEGUN)) {
    const complaint = lines.find((line) => line.trim() !== '');
    return {
      kind: 'not_started',
      reason: printable(complaint ?? `systemd could not run it (${result || 'no result'}, ${status})`),
    };
  }
  if (result === 'timeout') return { kind: 'timed_out' };
  switch (code) {
    case CLD_EXITED:
      return { kind: 'exited', exitCode: status };
    case CLD_KILLED:
    case CLD_DUMPED:
      return { kind: 'signaled', signal: signalName(status) };
    default:
      return { kind: 'lost', reason: `systemd only reports: ${result}` };
  }
}

/** Converts the verdict to the port's result. */
export function verdictResult(verdict: RunVerdict, timeoutMs: number, output: string): CommandResult {
  switch (verdict.kind) {
    case 'exited':
    case 'signaled':
    case 'lost':
      return { ...verdict, output };
    case 'timed_out':
      return { ...verdict, afterMs: timeoutMs, output };
    case 'not_started':
      return verdict;
    default:
      return verdict satisfies never;
  }
}
