import { printable } from '../../core/printable.ts';
import { signalName, signalNumber } from '../../core/wait-status.ts';
import type { CommandResult } from '../spawn/command-result.ts';
import { CLD_DUMPED, CLD_EXITED, CLD_KILLED } from '../systemd/job-words.ts';
import type { TransientState } from '../systemd/transient-unit.ts';

/** How a transient run ended. */
export type RunVerdict =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: string }
  | { readonly kind: 'timed_out' }
  /** The command never ran. */
  | { readonly kind: 'not_started'; readonly reason: string }
  /** It ran, and nobody can tell how it ended. */
  | { readonly kind: 'lost'; readonly reason: string };

/** What the run's shell says, on a descriptor that only it can write to, before it becomes the command. */
export const BEGUN = 'monitor_service: begun';

/**
 * The verdict on a run that is over, by how systemd tells its end. `words`: what was said before the command; the exit code alone would
 * not do, for systemd's own faults (203/EXEC) are exit codes too.
 */
export function verdictOf({ result, code, status }: TransientState, words: string): RunVerdict {
  const said = words.split('\n');
  if (!said.includes(BEGUN)) {
    const complaint = said.find((line) => line.trim() !== '');
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
      return { kind: 'lost', reason: `systemd says only: ${result}` };
  }
}

/** The verdict in the words of the port; a lost run is not to be judged by it. */
export function verdictResult(
  verdict: Exclude<RunVerdict, { kind: 'lost' }>,
  timeoutMs: number,
  output: string,
): CommandResult {
  switch (verdict.kind) {
    case 'exited':
    case 'signaled':
      return { ...verdict, output };
    case 'timed_out':
      return { ...verdict, afterMs: timeoutMs, output };
    case 'not_started':
      return verdict;
    default:
      return verdict satisfies never;
  }
}

/**
 * What systemd runs once an action has ended, whoever of us lives then: it notes how in the file at `path`, for whom the end was not
 * told (PID 1 was executed anew at that moment), and where the command did not exit by itself (time limit, a signal) it ends all the
 * others, for with KillMode=process PID 1 ends nobody but the shell. It is in the unit itself, so TERM must not end it, and KILL comes last.
 */
export function endScript(unit: string, path: string): string[] {
  const note = 'echo "$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS" >"$0"';
  const byItself = 'case $SERVICE_RESULT$EXIT_CODE in successexited|exit-codeexited) exit;; esac';
  const kill = (signal: string): string => `systemctl kill --signal=${signal} ${unit}`;
  return ['/bin/sh', '-c', `${note}; ${byItself}; trap "" TERM; ${kill('TERM')}; sleep 0.5; ${kill('KILL')}`, path];
}

/** Reads such a note; undefined where it is none. Source: systemd.exec(5), $SERVICE_RESULT, $EXIT_CODE, $EXIT_STATUS. */
export function readNote(text: string): TransientState | undefined {
  const [, result = '', word = '', status = ''] = /^(\S+) (exited|killed|dumped) (\S+)\n$/.exec(text) ?? [];
  const code = CODES[word];
  if (code === undefined) return undefined;
  const number = code === CLD_EXITED ? Number(status) : signalNumber(status);
  if (number === undefined || !Number.isInteger(number)) return undefined;
  return { activeState: 'inactive', result, mainPid: 0, code, status: number, invocation: '' };
}

const CODES: Readonly<Record<string, number>> = { exited: CLD_EXITED, killed: CLD_KILLED, dumped: CLD_DUMPED };
