import type { CommandResult } from '../spawn/command-result.ts';

/** How a transient run ended, as `systemd-run --wait` says it. */
export type RunVerdict =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: string }
  | { readonly kind: 'timed_out' }
  /** The command never ran. */
  | { readonly kind: 'not_started'; readonly reason: string }
  /** It ran, and may run still: systemd-run lost sight of it (a message bus or a PID 1 that was restarted). */
  | { readonly kind: 'lost'; readonly reason: string };

/** What the unit's first process says, on the descriptor that only systemd-run and itself can write to, before it becomes the command. */
export const BEGUN = 'monitor_service: begun';

/** True once the command runs. */
export function hasBegun(words: string): boolean {
  return words.split('\n').includes(BEGUN);
}

/** True once systemd has the unit: from then on it can be stopped by its name. */
export function isUnderWay(words: string): boolean {
  return /^Running as unit/m.test(words);
}

/**
 * Reads what systemd-run wrote to stderr until its end. The code it exits with would not do: it is 1 for a timeout, a lost
 * connection and `exit 1` alike, and 0 for a command killed by SIGTERM. Knows the words of systemd 239 (`code=killed/status=TERM`)
 * to 258 (`code=killed, status=15/TERM`).
 */
export function readVerdict(words: string): RunVerdict {
  const said = words
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const [, result] = findLast(said, /^Finished with result: (\S+)/) ?? [];
  const [, code, status = '', name] = findLast(said, /terminated with: code=(\w+)[/,] ?status=(\w+)(?:\/(\S+))?/) ?? [];
  if (!hasBegun(words)) return { kind: 'not_started', reason: reasonOf(said, result, status) };
  if (result === 'timeout') return { kind: 'timed_out' };
  if (code === 'exited' && /^\d+$/.test(status)) return { kind: 'exited', exitCode: Number(status) };
  if (code === 'killed' || code === 'dumped') return { kind: 'signaled', signal: `SIG${name ?? status}` };
  return { kind: 'lost', reason: reasonOf(said, result, status) };
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

function findLast(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines.toReversed()) {
    const match = pattern.exec(line);
    if (match !== null) return match;
  }
  return undefined;
}

/** systemd-run's complaint, if it has one; else its own word for how it went. */
function reasonOf(said: readonly string[], result: string | undefined, status: string): string {
  const complaint = said.find((line) => line !== BEGUN && !REPORT.test(line));
  if (complaint !== undefined) return complaint;
  if (result === undefined) return 'systemd-run ended without a word';
  return `systemd-run says only: ${[result, status].filter(Boolean).join(', ')}`;
}

const REPORT = /^(?:Running as unit|Finished with|Main processes|Service runtime|CPU time|Memory peak|IP traffic|IO bytes)/;
