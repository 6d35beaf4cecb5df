// Reads the journal of a unit.

import { execute } from '../../spawn/command.ts';
import { messagesOf } from './journal-export.ts';

/** One run of a unit, from its start to its end. */
interface UnitLife {
  readonly unit: string;
  /** In hexadecimal; empty if it is not known. */
  readonly invocation: string;
  /** When it began, by the wall clock, in milliseconds; undefined if that is not known. */
  readonly sinceMs: number | undefined;
}

/** How much is read, and how long reading may take. */
interface JournalLimit {
  /** The most entries. An entry may have several lines if it was written so. */
  readonly entries: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Returns the last entries that a unit's processes wrote in one run of it, the oldest first, each ended by a line break. Of
 * longer output, returns the newest entries that fit in 1 MiB. Empty if there is no journal, or if it is not readable or too
 * slow. Never rejects. Source: journalctl(1), systemd.journal-fields(7).
 */
export async function journalOf({ unit, invocation, sinceMs }: UnitLife, limit: JournalLimit): Promise<string> {
  const endMs = performance.now() + limit.timeoutMs;
  const left = (): JournalLimit => ({ ...limit, timeoutMs: Math.max(endMs - performance.now(), 1) });
  // The last output may still be on its way into the journal.
  await execute('journalctl', ['--sync'], { ...left(), timeoutMs: limit.timeoutMs / 2 });
  const ofInvocation = invocation === '' ? [] : [`_SYSTEMD_INVOCATION_ID=${invocation}`];
  // journald looks up the invocation after it has received the line; for a process that has already gone it only knows the
  // unit.
  const either = [...ofInvocation, ...(ofInvocation.length > 0 ? ['+'] : []), `_SYSTEMD_UNIT=${unit}`];
  const since = sinceMs === undefined ? '' : await read([`--since=@${sinceMs / 1000}`, ...either], left());
  // The clock may have been changed meanwhile.
  return since === '' && ofInvocation.length > 0 ? read(ofInvocation, left()) : since;
}

/** Returns what systemd itself wrote about that run of the unit. */
export async function journalAbout({ invocation }: UnitLife, limit: JournalLimit): Promise<string> {
  return invocation === '' ? '' : read(['_PID=1', `INVOCATION_ID=${invocation}`], limit);
}

async function read(matches: readonly string[], { entries, timeoutMs, signal }: JournalLimit): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Reversed: with --since= older versions take the first entries. Entries beyond the limit are then the oldest ones.
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

/** A unit may write entries of 768 MB. An entry from its standard output has at most 48 KiB (LineMax= of journald.conf(5)). */
const MOST_BYTES = 1024 * 1024;
