import { execute } from '../spawn/command.ts';

/** One life of a unit. */
export interface UnitLife {
  readonly unit: string;
  /** In hexadecimal; empty if it is not known. */
  readonly invocation: string;
  /** When it began, by the wall clock, in milliseconds; undefined if that is not known. */
  readonly sinceMs: number | undefined;
}

/** How many lines are read, and how long that may take. */
export interface JournalLimit {
  readonly lines: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * The last lines that a unit's processes wrote in one life of it, the end of 64 KiB; empty if the journal does not say: it is not
 * there, may not be read, or is too slow. Never rejects. Source: journalctl(1), systemd.journal-fields(7).
 */
export async function journalOf({ unit, invocation, sinceMs }: UnitLife, limit: JournalLimit): Promise<string> {
  const endMs = performance.now() + limit.timeoutMs;
  const left = (): JournalLimit => ({ ...limit, timeoutMs: Math.max(endMs - performance.now(), 1) });
  // What was written last may still be on its way into the journal.
  await execute('journalctl', ['--sync'], { ...left(), timeoutMs: limit.timeoutMs / 2 });
  const ofInvocation = invocation === '' ? [] : [`_SYSTEMD_INVOCATION_ID=${invocation}`];
  // The journal asks for the invocation after the line has come; of a process that is gone by then it knows the unit alone.
  const either = [...ofInvocation, ...(ofInvocation.length > 0 ? ['+'] : []), `_SYSTEMD_UNIT=${unit}`];
  const since = sinceMs === undefined ? '' : await read([`--since=@${sinceMs / 1000}`, ...either], left());
  // The clock may have been set meanwhile.
  return since === '' && ofInvocation.length > 0 ? read(ofInvocation, left()) : since;
}

/** The same of what systemd itself wrote of that life of the unit. */
export async function journalAbout({ invocation }: UnitLife, limit: JournalLimit): Promise<string> {
  return invocation === '' ? '' : read(['_PID=1', `INVOCATION_ID=${invocation}`], limit);
}

async function read(matches: readonly string[], { lines, timeoutMs, signal }: JournalLimit): Promise<string> {
  // Backwards: with --since= older versions take the first lines.
  const argv = ['--no-pager', '--quiet', '--output=cat', '--reverse', `--lines=${lines}`, ...matches];
  const result = await execute('journalctl', argv, { timeoutMs, ...(signal && { signal }) });
  return result.kind === 'exited' && result.exitCode === 0 ? result.stdout.split('\n').toReversed().join('\n') : '';
}
