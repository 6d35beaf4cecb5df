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
  /** `fresh`: it is news, to be kept. */
  | {
      readonly kind: 'known';
      readonly record: LaunchRecord;
      readonly fresh: boolean;
      /** What runs is something else, and does not take the record's place; why, in one line. */
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

/** True for what was surely confined, and not only unreadable for the moment. */
export function isCaged(launch: RecalledLaunch): launch is UnknownLaunch {
  return launch.kind === 'unknown' && launch.confined === true && launch.passing !== true;
}

/** Where is looked, who would start it (ProgramLauncher), and how much all its copies may tell. */
export interface LaunchSight {
  readonly table: ProcessTable;
  readonly starter: number;
  /** Absent: each by itself. */
  readonly room?: RecordRoom;
}

/** Whose program it is, for what may take a record's place. */
export interface RecordedName {
  readonly systemName: string;
  /** Of the section's `user`; undefined where it names none. */
  readonly userUid: number | undefined;
}

/**
 * Reads how the living tree was started. What is known from before (`stored`) holds where that cannot be used, unless for confinement,
 * and it is the same program of the same user; and where the tree's root is no true root: a worker that outlived its master.
 */
export async function recallLaunch(
  sight: LaunchSight,
  stored: LaunchRecord | undefined,
  tree: ProcessTree,
  name: RecordedName,
): Promise<RecalledLaunch> {
  if (tree.orphaned && stored !== undefined) return { kind: 'known', record: stored, fresh: false };
  return settled(sight, await livingLaunch(sight, tree), stored, tree, name);
}

/** What holds of what lives and what is known from before. */
async function settled(
  { table }: LaunchSight,
  living: RecalledLaunch,
  stored: LaunchRecord | undefined,
  tree: ProcessTree,
  name: RecordedName,
): Promise<RecalledLaunch> {
  if (stored === undefined) return living;
  if (living.kind === 'unknown') {
    // Who has put it into a cage since wants it there. What an earlier version recorded is not started, and says less.
    const isIt = living.passing === true || (!isCaged(living) && (await isSameProgram(table, tree, stored)));
    return isIt && stored.unconfined === true ? { kind: 'known', record: stored, fresh: false } : living;
  }
  const record = withStoredOutput(stored, living.record);
  if (sameLaunch(stored, record) || hasMovedOn(stored, record) || isWorkerOf(tree, stored, record, name))
    return { kind: 'known', record: stored, fresh: false };
  const otherwise = mayNotReplace(stored, record, name);
  return otherwise === undefined ? { ...living, record } : { kind: 'known', record: stored, fresh: false, otherwise };
}

/** How the tree's root was started, whatever was known before. */
export async function livingLaunch({ table, starter, room }: LaunchSight, { root }: ProcessTree): Promise<RecalledLaunch> {
  const reading = await readLaunchRecord(table, root.pid, starter, room);
  if (reading.kind === 'unusable') return { ...reading, kind: 'unknown' };
  // The look that found it may be seconds old: another program's arguments must never be kept under this name.
  if (!table.exists(root)) return { kind: 'unknown', reason: 'it ended meanwhile', passing: true };
  const record = { ...reading.record, environment: reading.record.environment.filter(isItsOwn) };
  return { kind: 'known', record, fresh: true };
}

/** Whether it was executed by the record's user, and by a file of the same name or of the same script. */
async function isSameProgram(
  table: ProcessTable,
  { root: { pid } }: ProcessTree,
  { executable, uid }: LaunchRecord,
): Promise<boolean> {
  const now = table.read(pid, ['executable', 'uids']);
  if (now?.executable === undefined || now.uids === undefined) return false;
  // It may have given up its user since.
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
 * Why what runs must not become the record, in one line; undefined where it may. Whoever could make a record another user's would choose
 * whose rights his program is started with. Root's is replaced by what is root's alone and the same program, in a new place too.
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

/** `recallLaunch`, and keeps under the name what is news. */
export async function rememberLaunch(
  sight: LaunchSight,
  launches: LaunchRecords,
  tree: ProcessTree,
  name: RecordedName,
): Promise<RecalledLaunch> {
  const known = launches.get(name.systemName);
  if (tree.orphaned && known !== undefined) return { kind: 'known', record: known, fresh: false };
  const living = await livingLaunch(sight, tree);
  // Another may have been kept while it was read.
  const recalled = await settled(sight, living, launches.get(name.systemName), tree, name);
  if (recalled.kind === 'known' && recalled.fresh) launches.set(name.systemName, recalled.record);
  return recalled;
}

/** What an earlier start by us or by systemd told that one process alone (systemd.exec(5)): it would lead its successor astray. */
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

/** A worker shares its master's command line, but has given up root's rights: started so, the program could not do its work. */
function isWorkerOf({ root }: ProcessTree, stored: LaunchRecord, record: LaunchRecord, { userUid }: RecordedName): boolean {
  // Whose it is to be has been said.
  if (record.uid === userUid) return false;
  const sameProgram = stored.executable === record.executable && sameStrings(stored.argv, record.argv);
  return sameProgram && stored.uid === 0 && record.uid !== 0 && root.pid !== root.pgid;
}
