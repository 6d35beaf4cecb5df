// Reads the row of an alarm again right before a restart.
import { type Alarm, isSameNotes, stands, storedAlarm } from '../../core/alarm.ts';
import { type Clock, soon } from '../../core/clock.ts';
import { errorMessage, StoreError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { AlarmBook } from '../alarms/book.ts';
import type { KeptAlarms } from '../alarms/kept.ts';
import type { CurrentConfig } from '../current-config.ts';
import { type Member, processFields, type RecoveryJob } from '../recovery-job.ts';

/** What the second reading of a row needs. */
interface ReadAgainParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly kept: KeptAlarms;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A restart waits at most this long for the second reading of a row, plus the time in which another host can be asked. */
const READ_AGAIN_LIMIT_MS = 3000;

/** Why a recovery does not continue: all alarms are over, or it is not known whether any is still active. */
type NoRestart = { readonly kind: 'ended' | 'skipped'; readonly reason: string };

/**
 * Reads the members' rows again and removes those that somebody cleared or acknowledged meanwhile. Returns undefined if an alarm is left
 * to restart for. If a row cannot be read in time, what the last poll read counts: a database that hangs must not prevent its
 * own restart. If a server answers that it does not know what its cluster has written, nothing is restarted: the next poll that is sure
 * shows the alarm again.
 */
export async function rereadMembers(job: RecoveryJob, parts: ReadAgainParts): Promise<NoRestart | undefined> {
  const read: Member[] = [];
  const fresh: ReadAgain[] = [];
  // Others may join meanwhile: the poll that brought them is not newer than our reading.
  for (let unread = [...job.members]; unread.length > 0; unread = job.members.filter((member) => !read.includes(member))) {
    read.push(...unread);
    fresh.push(...(await Promise.all(unread.map((member) => readAgain(member, parts)))));
  }
  const stay = fresh.filter(({ gone }) => gone === undefined);
  job.members = (job.ordered ? fresh : stay).map(({ member }) => member);
  if (job.ordered) return undefined;
  for (const { member, gone, isLeftAlone } of fresh) {
    if (gone !== undefined)
      parts.log.info(
        `RESTART LOG: ${member.process.processName} ${isLeftAlone ? 'is left alone' : 'is no longer in alarm'}: ${gone}; not restarted for it`,
        processFields(member.process),
      );
  }
  if (stay.some(({ doubt }) => doubt === undefined)) return undefined;
  const doubt = stay[0]?.doubt;
  return doubt === undefined
    ? { kind: 'ended', reason: fresh[0]?.gone ?? 'no process is in alarm' }
    : { kind: 'skipped', reason: `whether it is still in alarm is not known: ${doubt}` };
}

/** The result of the second reading of a row. */
interface ReadAgain {
  readonly member: Member;
  /** Why nothing must be restarted for it; absent if it is still in alarm, or if that is not known. */
  readonly gone?: string;
  /** It may still be in alarm. */
  readonly isLeftAlone?: true;
  /** Why it is not known whether it is in alarm. */
  readonly doubt?: string;
}

async function readAgain(member: Member, parts: ReadAgainParts): Promise<ReadAgain> {
  if (member.alarm === undefined) return { member };
  if (member.alarm.source === 'kept') {
    const alarm = parts.kept.alarm(member.alarm.processName);
    return alarm === undefined ? { member, gone: 'somebody cleared it' } : { member: withAlarm(member, alarm, parts) };
  }
  if (isHealed(member.alarm, parts)) return { member, gone: HEALED };
  const store = parts.config.current().store;
  const readAtMs = parts.clock.monotonicMs();
  const limitMs = READ_AGAIN_LIMIT_MS + (store.failoverMs ?? 0);
  try {
    const row = await soon(parts.clock, limitMs, store.readProcess(member.alarm.processId));
    if (row === 'late') return asPolled(member, parts);
    if (row === 'ambiguous') return { member, gone: 'several rows have its process_id', isLeftAlone: true };
    if (row === undefined) return { member: { ...member, alarm: undefined }, gone: 'its row was deleted' };
    // Another database after a reload, or a row that has been given to another process: the alarm is not the one that began this.
    if (row.processName !== member.process.processName)
      return { member: { ...member, alarm: undefined }, gone: 'its row belongs to another process now' };
    const alarm = storedAlarm(row);
    // The poll may have shown an earlier alarm of the row.
    if (isHealed(alarm, parts)) return { member: { ...member, alarm }, gone: HEALED };
    if (stands(alarm)) return { member: { ...withAlarm(member, alarm, parts), readAtMs } };
    return { member: { ...member, alarm }, gone: row.alarma ? 'somebody acknowledged it' : 'somebody cleared it' };
  } catch (error) {
    const reason = errorMessage(error);
    parts.log.debug(
      `The row of ${member.process.processName} could not be read again: ${reason}`,
      processFields(member.process),
    );
    if (error instanceof StoreError && error.fault === 'not_causal') return { member, doubt: reason };
    return asPolled(member, parts);
  }
}

/** The member with its alarm as it is read now. */
function withAlarm(member: Member, alarm: Alarm, { clock }: ReadAgainParts): Member {
  const isSame = member.alarm !== undefined && isSameNotes(alarm, member.alarm);
  return { ...member, alarm, notedAtMs: isSame ? member.notedAtMs : clock.monotonicMs() };
}

/** By another recovery, an operator's order perhaps, while this one waited: only the clearing is missing. */
function isHealed(alarm: Alarm, { book }: ReadAgainParts): boolean {
  return book.memory.of(alarm).handled;
}

const HEALED = 'it has been healed meanwhile';

/** As the last poll saw it, which may have been answered after the one that brought it. */
function asPolled(member: Member, parts: ReadAgainParts): ReadAgain {
  const { book } = parts;
  const entry = member.alarm && book.get(member.alarm.key);
  if (entry === undefined) return { member };
  if (entry.isOver) return { member, gone: 'the last poll did not show it any more' };
  if (book.isCleared(entry.key)) return { member, gone: HEALED };
  // An earlier reading again has shown notes that no poll has seen yet.
  if (entry.notedAtMs <= member.notedAtMs) return { member };
  const polled = { ...member, alarm: entry.alarm, notedAtMs: entry.notedAtMs };
  return isHealed(entry.alarm, parts) ? { member: polled, gone: HEALED } : { member: polled };
}
