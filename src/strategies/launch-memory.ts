import type { LaunchRecord, LaunchRecords } from '../core/launch-record.ts';
import { callsItsFolder, readLaunchRecord } from '../system/launch/read-record.ts';
import type { ProcessTable } from '../system/proc/table.ts';
import type { ProcessTree } from './identity.ts';

/** How a tree's program is started, or in one line why that is not known. */
export type RecalledLaunch =
  /** `fresh`: it is news, to be kept. */
  | { readonly kind: 'known'; readonly record: LaunchRecord; readonly fresh: boolean }
  /** `confined`: as in LaunchReading. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly confined?: boolean };

/** Where is looked, and who would start it (ProgramLauncher). */
export interface LaunchSight {
  readonly table: ProcessTable;
  readonly starter: number;
}

/**
 * Reads how the living tree was started. What is known from before (`stored`) holds where that cannot be read, and where the
 * tree's root is no true root: a worker that outlived its master.
 */
export function recallLaunch(
  { table, starter }: LaunchSight,
  stored: LaunchRecord | undefined,
  tree: ProcessTree,
): RecalledLaunch {
  if (tree.orphaned && stored !== undefined) return { kind: 'known', record: stored, fresh: false };
  const reading = readLaunchRecord(table, tree.root.pid, starter);
  // The look that found it may be seconds old: another program's arguments must never be kept under this name.
  if (reading.kind === 'unusable' || !table.exists(tree.root)) {
    if (stored !== undefined) return { kind: 'known', record: stored, fresh: false };
    return reading.kind === 'unusable' ? { ...reading, kind: 'unknown' } : { kind: 'unknown', reason: 'it ended meanwhile' };
  }
  const record = { ...reading.record, environment: reading.record.environment.filter(isItsOwn) };
  const keep = stored !== undefined && (same(stored, record) || hasMovedOn(stored, record) || isWorkerOf(tree, stored, record));
  return keep ? { kind: 'known', record: stored, fresh: false } : { kind: 'known', record, fresh: true };
}

/** `recallLaunch`, and keeps under the name what is news; false where nothing is known. */
export function rememberLaunch(sight: LaunchSight, launches: LaunchRecords, name: string, tree: ProcessTree): boolean {
  const recalled = recallLaunch(sight, launches.get(name), tree);
  if (recalled.kind === 'known' && recalled.fresh) launches.set(name, recalled.record);
  return recalled.kind === 'known';
}

/**
 * Keeps how the copies beside the first were started: as many as there ever were at once, so that a restart brings back one that has
 * died meanwhile; all anew where somebody started all of it anew (`isAllNew`).
 */
export function rememberCopies(
  sight: LaunchSight,
  launches: LaunchRecords,
  name: string,
  trees: readonly ProcessTree[],
  isAllNew: boolean,
): void {
  if (!isAllNew && trees.length <= launches.further(name).length) return;
  const recalled = trees.map((tree) => recallLaunch(sight, undefined, tree));
  launches.setFurther(
    name,
    recalled.flatMap((launch) => (launch.kind === 'known' ? [launch.record] : [])),
  );
}

/** The recorded copies that do not run: of the first (`stored`) and the further ones. */
export function missingCopies(
  running: readonly RecalledLaunch[],
  stored: LaunchRecord | undefined,
  copies: readonly LaunchRecord[],
): RecalledLaunch[] {
  const left = running.flatMap((launch) => (launch.kind === 'known' ? [launch.record] : []));
  const all = stored === undefined ? copies : [stored, ...copies];
  const missing = all.filter((record) => {
    const at = left.findIndex((other) => same(other, record));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return missing.slice(0, Math.max(all.length - running.length, 0)).map((record) => ({ kind: 'known', record, fresh: false }));
}

/** Whether the process was started by one of our commands, which a look in passing must not take for the program itself. */
export function isFromCommand(table: ProcessTable, pid: number): boolean {
  return table.hasVariable(pid, 'MONITOR_ATTEMPT');
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

function same(a: LaunchRecord, b: LaunchRecord): boolean {
  return JSON.stringify(FIELDS.map((field) => a[field])) === JSON.stringify(FIELDS.map((field) => b[field]));
}

const FIELDS = ['argv', 'executable', 'cwd', 'environment', 'uid', 'gid', 'groups', 'unconfined'] as const;

/** The link by which it calls its directory leads to another release now than when it was started. */
function hasMovedOn(stored: LaunchRecord, record: LaunchRecord): boolean {
  return callsItsFolder(record.environment) === stored.cwd && same(stored, { ...record, cwd: stored.cwd });
}

/** A worker shares its master's command line, but has given up root's rights: started so, the program could not do its work. */
function isWorkerOf({ root }: ProcessTree, stored: LaunchRecord, record: LaunchRecord): boolean {
  const sameProgram = stored.executable === record.executable && stored.argv.join('\0') === record.argv.join('\0');
  return sameProgram && stored.uid === 0 && record.uid !== 0 && root.pid !== root.pgid;
}
