// Reads how a living program was started, and decides between that and what was recorded before.
import { basename } from 'node:path';
import { lastPart } from '../../../core/process/comm.ts';
import { isInterpreter } from '../../../core/program/interpreters.ts';
import type { LaunchRecord, LaunchRecords } from '../../../core/program/launch-record.ts';
import { executedFiles } from '../../../system/launch/executed-files.ts';
import { type RecordRoom, readAuxiliary, readLaunchRecord } from '../../../system/launch/read-record.ts';
import { notRootsLaunch } from '../../../system/launch/roots-launch.ts';
import { readShebang } from '../../../system/launch/script-file.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { ProcessTree } from '../identity/identity.ts';
import { hasMovedOn, sameLaunch, sameStrings, withStoredOutput } from './same-launch.ts';

/** How a tree's program is started, or in one line why that is not known. */
export type RecalledLaunch =
  /** `fresh`: it is new, and has to be recorded. */
  | {
      readonly kind: 'known';
      readonly record: LaunchRecord;
      readonly fresh: boolean;
      /** What runs is something else, and does not replace the record; the reason, in one line. */
      readonly otherwise?: string;
    }
  | UnknownLaunch;

/** `confined`, `passing`: as in LaunchReading. */
export interface UnknownLaunch {
  readonly kind: 'unknown';
  readonly reason: string;
  readonly confined?: boolean;
  readonly passing?: boolean;
}

/** True for what was certainly confined, and not only unreadable at the moment. */
export function isSurelyConfined(launch: RecalledLaunch): launch is UnknownLaunch {
  return launch.kind === 'unknown' && launch.confined === true && launch.passing !== true;
}

/**
 * What reading launches needs: the process table, who would start the program (ProgramLauncher), and room for all its copies.
 */
export interface LaunchContext {
  readonly table: ProcessTable;
  readonly starter: number;
  /** Absent: each copy has its own. */
  readonly room?: RecordRoom;
}

/** Which program a record belongs to, and whose it is: decides what may replace the record. */
export interface RecordedName {
  readonly systemName: string;
  /** The uid of the section's `user`; undefined if it sets none. */
  readonly userUid: number | undefined;
}

/**
 * Reads how the living tree was started. What was known before (`stored`) stays valid if that cannot be used, unless because of
 * confinement, and it is the same program of the same user; and also if the tree's root is not a true root: a worker that
 * outlived its master.
 */
export async function recallLaunch(
  context: LaunchContext,
  stored: LaunchRecord | undefined,
  tree: ProcessTree,
  name: RecordedName,
): Promise<RecalledLaunch> {
  if (tree.orphaned && stored !== undefined) return { kind: 'known', record: stored, fresh: false };
  return chooseLaunch(context, await livingLaunch(context, tree), stored, tree, name);
}

/** Decides between the living launch and the one known before. */
async function chooseLaunch(
  { table }: LaunchContext,
  living: RecalledLaunch,
  stored: LaunchRecord | undefined,
  tree: ProcessTree,
  name: RecordedName,
): Promise<RecalledLaunch> {
  if (stored === undefined) return living;
  if (living.kind === 'unknown') {
    // Whoever has confined it since wants that. A record of an earlier version is not started, and says less.
    const isIt = living.passing === true || (!isSurelyConfined(living) && (await isSameProgram(table, tree, stored)));
    return isIt && stored.unconfined === true ? { kind: 'known', record: stored, fresh: false } : living;
  }
  const record = withStoredOutput(stored, living.record);
  if (sameLaunch(stored, record) || hasMovedOn(stored, record) || isWorkerOf(tree, stored, record, name))
    return { kind: 'known', record: stored, fresh: false };
  const otherwise = mayNotReplace(stored, record, name);
  return otherwise === undefined ? { ...living, record } : { kind: 'known', record: stored, fresh: false, otherwise };
}

/** How the tree's root was started, regardless of what was known before. */
export async function livingLaunch({ table, starter, room }: LaunchContext, { root }: ProcessTree): Promise<RecalledLaunch> {
  const reading = await readLaunchRecord(table, root.pid, starter, room);
  if (reading.kind === 'unusable') return { ...reading, kind: 'unknown' };
  // The look that found it may be seconds old: another program's arguments must never be recorded under this name.
  if (!table.exists(root)) return { kind: 'unknown', reason: 'it ended meanwhile', passing: true };
  const record = { ...reading.record, environment: reading.record.environment.filter(isItsOwn) };
  return { kind: 'known', record, fresh: true };
}

/** Whether it was executed by the record's user, from a file of the same name or of the same script. */
async function isSameProgram(
  table: ProcessTable,
  { root: { pid } }: ProcessTree,
  { executable, uid }: LaunchRecord,
): Promise<boolean> {
  const now = table.read(pid, ['executable', 'uids']);
  if (now?.executable === undefined || now.uids === undefined) return false;
  // It may have dropped its user since.
  if (now.uids.real !== uid && !(await wasExecutedBy(table, pid, uid))) return false;
  const [interpreter] = readShebang(executable);
  if (interpreter === undefined) return basename(now.executable) === basename(executable) || table.executes(pid, executable);
  return table.executes(pid, interpreter) || (lastPart(interpreter) === 'env' && isInterpreter(now.executable));
}

async function wasExecutedBy(table: ProcessTable, pid: number, uid: number): Promise<boolean> {
  const auxiliary = await readAuxiliary(table, pid);
  return typeof auxiliary === 'object' && auxiliary.uid === uid;
}

/**
 * Why what runs must not become the record, in one line; undefined if it may. Whoever could turn a record into another user's
 * would choose whose rights his program is started with. Root's record is replaced by a launch that only root controls of the
 * same program, even in a new place.
 */
function mayNotReplace(stored: LaunchRecord, record: LaunchRecord, { systemName, userUid }: RecordedName): string | undefined {
  // An earlier version recorded whatever it saw, and such a record is not started.
  const isOld = stored.unconfined !== true;
  if (record.uid !== stored.uid) {
    if (record.uid === userUid || (isOld && record.uid === 0)) return undefined;
    return `it runs as user ${record.uid}, but is recorded as a program of user ${stored.uid}, and that stays so (set user to change it)`;
  }
  if (record.uid !== 0 || isOld) return undefined;
  const { program } = executedFiles(record);
  const isSame =
    program !== undefined && (program === executedFiles(stored).program || basename(program) === basename(systemName));
  return isSame && notRootsLaunch(record) === undefined ? undefined : 'it does not run as it was recorded';
}

/** `recallLaunch` that also records a new launch under the name. */
export async function rememberLaunch(
  context: LaunchContext,
  launches: LaunchRecords,
  tree: ProcessTree,
  name: RecordedName,
): Promise<RecalledLaunch> {
  const known = launches.get(name.systemName);
  if (tree.orphaned && known !== undefined) return { kind: 'known', record: known, fresh: false };
  const living = await livingLaunch(context, tree);
  // Another one may have been recorded while this one was read.
  const recalled = await chooseLaunch(context, living, launches.get(name.systemName), tree, name);
  if (recalled.kind === 'known' && recalled.fresh) launches.set(name.systemName, recalled.record);
  return recalled;
}

/**
 * False for a variable that an earlier start, ours or systemd's, set for that one process (systemd.exec(5)): it would mislead
 * the next.
 */
function isItsOwn(variable: string): boolean {
  const [name = ''] = variable.split('=', 1);
  return !name.startsWith('MONITOR_') && !OF_ONE_START.includes(name);
}

const OF_ONE_START: readonly string[] = [
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'LISTEN_PID',
  'LISTEN_PIDFDID',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'MAINPID',
  'MANAGERPID',
  'SYSTEMD_EXEC_PID',
  'CREDENTIALS_DIRECTORY',
  'MEMORY_PRESSURE_WATCH',
  'MEMORY_PRESSURE_WRITE',
  'FDSTORE',
];

/**
 * A worker has its master's command line, but has dropped root's rights: started that way, the program could not do its work.
 */
function isWorkerOf({ root }: ProcessTree, stored: LaunchRecord, record: LaunchRecord, { userUid }: RecordedName): boolean {
  // The section says whose it is.
  if (record.uid === userUid) return false;
  const sameProgram = stored.executable === record.executable && sameStrings(stored.argv, record.argv);
  return sameProgram && stored.uid === 0 && record.uid !== 0 && root.pid !== root.pgid;
}
