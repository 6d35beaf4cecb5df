// Notes that were rewritten while a recovery was under way.
import { type Alarm, isSameNotes, stands, storedAlarm } from '../../core/alarm.ts';
import { type Clock, soon } from '../../core/clock.ts';
import type { AlarmBook } from '../alarms/book.ts';
import type { CurrentConfig } from '../current-config.ts';
import type { Member, RecoveryJob } from '../recovery-job.ts';
import { proveAgain } from './health-proof.ts';

/** What following the notes needs. */
export interface LatestNotesParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly clock: Clock;
  readonly abort: AbortSignal;
}

/** The end of a recovery does not wait longer for the answer of the store. */
const READ_LIMIT_MS = 1000;

/**
 * Reads the rows of a job whose process was proved healthy just now. A detector that goes on writing notes while a process is down
 * writes about the failure that the recovery ends: if its notes have changed, and another check after that finds the process healthy,
 * the job's members take the new notes, and their alarms can be cleared. Otherwise they stay as they are: what is in the row is a new
 * alarm. Never rejects.
 */
export async function takeLatestNotes(job: RecoveryJob, parts: LatestNotesParts): Promise<void> {
  const members = [...job.members];
  const latest = await Promise.all(members.map((member) => readLatest(member, parts)));
  if (latest.every((alarm) => alarm === undefined)) return;
  const proof = await proveAgain(job.plan, job.process, 1, parts.clock, parts.abort);
  if (proof.kind !== 'healthy' && proof.kind !== 'assumed') return;
  // In their places: others may have joined meanwhile.
  for (const [i, member] of members.entries()) {
    const alarm = latest[i];
    if (alarm !== undefined) job.members[job.members.indexOf(member)] = { ...member, alarm };
  }
}

/** The member's alarm with other notes than those it was restarted for; undefined if they are the same, or cannot be read in time. */
async function readLatest({ alarm, process }: Member, { config, book, clock }: LatestNotesParts): Promise<Alarm | undefined> {
  if (alarm?.source !== 'store' || !stands(alarm)) return undefined;
  const row = await soon(clock, READ_LIMIT_MS, config.current().store.readProcess(alarm.processId)).catch(
    () => 'late' as const,
  );
  if (row === 'late' || row === 'ambiguous' || row?.processName !== process.processName) return undefined;
  // What the daemon notices itself is certain, and an alarm of its own.
  if (book.get(alarm.key)?.isRaisedAgain) return undefined;
  const read = storedAlarm(row);
  return stands(read) && !isSameNotes(read, alarm) ? read : undefined;
}
