import { stands, storedAlarm } from '../core/alarm.ts';
import { soon } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import { type Member, processFields, type RecoveryJob, type RecoveryParts } from './recovery-job.ts';

/** A row that cannot be read within this time is taken to be as it was: a hanging database must not keep its own restart waiting. */
const READ_AGAIN_LIMIT_MS = 3000;

/**
 * Reads the members' rows again and takes out those that somebody cleared or acknowledged meanwhile. The reason to stop where
 * nobody is left; a row that cannot be read is taken to be as it was.
 */
export async function dropHealedMembers(job: RecoveryJob, parts: RecoveryParts): Promise<string | undefined> {
  const before = job.members;
  const fresh = await Promise.all(before.map((member) => readAgain(member, parts)));
  // Who joined while we were reading was read by the poll that brought it.
  const joined = job.members.filter((member) => !before.includes(member));
  const stay = [...fresh.filter(({ gone }) => gone === undefined).map(({ member }) => member), ...joined];
  job.members = job.ordered ? [...fresh.map(({ member }) => member), ...joined] : stay;
  if (job.ordered) return undefined;
  for (const { member, gone } of fresh) {
    if (gone !== undefined)
      parts.log.info(
        `RESTART LOG: ${member.process.processName} is no longer in alarm: ${gone}; not restarted for it`,
        processFields(member.process),
      );
  }
  return stay.length > 0 ? undefined : (fresh[0]?.gone ?? 'nobody is in alarm');
}

async function readAgain(member: Member, parts: RecoveryParts): Promise<{ member: Member; gone: string | undefined }> {
  if (member.alarm === undefined) return { member, gone: undefined };
  if (member.alarm.source === 'kept') {
    const alarm = parts.kept.alarm(member.alarm.processName);
    return alarm === undefined ? { member, gone: 'somebody cleared it' } : { member: { ...member, alarm }, gone: undefined };
  }
  try {
    const row = await soon(parts.clock, READ_AGAIN_LIMIT_MS, parts.store().readProcess(member.alarm.processId));
    if (row === 'late') return { member, gone: undefined };
    if (row === 'ambiguous') return { member, gone: 'several rows have its process_id' };
    if (row === undefined) return { member: { ...member, alarm: undefined }, gone: 'its row was deleted' };
    // Another database after a reload, or a row given to somebody else: an alarm of that name is not what we were called for.
    if (row.processName !== member.process.processName)
      return { member: { ...member, alarm: undefined }, gone: 'its row belongs to another process now' };
    const alarm = storedAlarm(row);
    if (stands(alarm)) return { member: { ...member, alarm }, gone: undefined };
    return { member: { ...member, alarm }, gone: row.alarma ? 'somebody acknowledged it' : 'somebody cleared it' };
  } catch (error) {
    parts.log.debug(
      `The row of ${member.process.processName} could not be read again: ${errorMessage(error)}`,
      processFields(member.process),
    );
    return { member, gone: undefined };
  }
}
