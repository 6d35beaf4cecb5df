import { execute } from '../../spawn/command.ts';
import { messagesOf } from './journal-export.ts';

/** One life of a unit. */
interface UnitLife {
  readonly unit: string;
  /** In hexadecimal; empty if it is not known. */
  readonly invocation: string;
  /** When it began, by the wall clock, in milliseconds; undefined if that is not known. */
  readonly sinceMs: number | undefined;
}

/** How much is read, and how long that may take. */
interface JournalLimit {
  /** Of several lines each, where somebody wrote them so. */
  readonly entries: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * The last entries that a unit's processes wrote in one life of it, the oldest first, each ended by a line break; of the newest ones what
 * stands in 1 MiB. Empty if the journal does not say: it is not there, may not be read, or is too slow. Never rejects.
 * Source: journalctl(1), systemd.journal-fields(7).
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

async function read(matches: readonly string[], { entries, timeoutMs, signal }: JournalLimit): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Backwards: with --since= older versions take the first entries; and what is beyond the limit are the older ones.
  const argv = ['--no-pager', '--quiet', '--output=export', '--output-fields=MESSAGE', '--reverse', `--lines=${entries}`];
  await execute('journalctl', [...argv, ...matches], {
    timeoutMs,
    ...(signal && { signal }),
    take: (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      return size < MOST_BYTES;
    },
  });
  return messagesOf(Buffer.concat(chunks).subarray(0, MOST_BYTES)).toReversed().join('');
}

/** A unit may write entries of 768 MB; of what it writes to its standard output one has 48 KiB (LineMax= of journald.conf(5)). */
const MOST_BYTES = 1024 * 1024;
