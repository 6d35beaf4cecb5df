import process from 'node:process';
import type { KeeperProcess } from '../../../core/program/roots.ts';
import { printable } from '../../../core/text/printable.ts';
import { hasEnded } from '../../../system/proc/parse.ts';
import { ancestorsOf } from '../../../system/proc/process-tree.ts';
import type { ProcessInfo, ProcessTable } from '../../../system/proc/table.ts';
import { isAppUnitOf, isRunUnit } from '../../../system/systemd/unit/name.ts';
import { KIND_FIELDS_BUT_ARGV, type ParentKind, parentKind } from './kinds.ts';

/** A process other than ours that may start a program again, as one look saw it. */
export interface Keeper extends KeeperProcess {
  /** `supervisord (pid 12)`, printable. */
  readonly description: string;
  /** It counts as a supervisor: it is known to be one, or was seen to act as one. */
  readonly counts: boolean;
}

/** What looking for supervisors needs. */
export interface KeeperContext {
  readonly table: ProcessTable;
  readonly ownPid: number;
  /**
   * The arguments that a look has read: reading a foreign process's arguments now might take as long as it likes (PoolFiles).
   */
  readonly argvOf: (process: KeeperProcess) => readonly string[] | undefined;
}

/**
 * The processes above a living program's root that may start it again, nearest first: its parent; above shells and wrappers,
 * which end with what they run, the process that runs those; every shell above, whatever it runs; and the nearest known
 * supervisor above all of them. Only processes of root, the daemon's user or the program's own user. Never PID 1 (it adopts
 * whatever is left behind), this process, or a shell that runs one of our commands; of our own ancestors only known
 * supervisors.
 */
export function keepersAbove(
  { table, ownPid, argvOf }: KeeperContext,
  { pid, startTime }: { readonly pid: number; readonly startTime: number },
  systemName: string,
): readonly KeeperProcess[] {
  const root = table.read(pid, ['ppid', 'startTime', 'uids', 'cgroup']);
  if (root === undefined || root.startTime !== startTime) return [];
  const ours = ancestorsOf(ownPid, { get: (pid) => table.read(pid, ['ppid', 'startTime']) });
  const trusted = [0, process.geteuid?.(), root.uids?.effective].filter((uid) => uid !== undefined);
  const found: KeeperProcess[] = [];
  let below: Above = root;
  let through = 'wrappers' as Through;
  for (let height = 0; height < HIGHEST && below.ppid > 1 && below.ppid !== ownPid; height++) {
    const read = table.read(below.ppid, FIELDS);
    // A parent that is younger than its child is another process with the old pid.
    if (read === undefined || read.startTime > below.startTime) break;
    const above = withArgv(read, argvOf(read));
    const kind = parentKind(above);
    const isKnown = kind.kind === 'supervisor';
    if (isUserManager(kind) && !runsService(root.cgroup)) break;
    if (ours.has(above.pid) && !isKnown) break;
    const mayBe = isKnown || (!isOurCommand(above.unit, systemName) && reaches(through, kind));
    if (mayBe && trusted.includes(above.uids?.effective ?? Number.NaN))
      found.push({ pid: above.pid, startTime: above.startTime });
    if (isKnown || (kind.kind === 'shell' && kind.hasTerminal)) break;
    if (kind.kind === 'other') through = 'others';
    else if (kind.kind === 'shell' && through === 'wrappers') through = 'shells';
    below = above;
  }
  return found;
}

/** The highest kind among the processes in between. */
type Through = 'wrappers' | 'shells' | 'others';
type Above = Pick<ProcessInfo<'ppid' | 'startTime'>, 'ppid' | 'startTime'>;
const FIELDS = [...KIND_FIELDS_BUT_ARGV, 'ppid', 'startTime', 'uids', 'unit'] as const;
/** How many levels above a program its supervisor is looked for. */
const HIGHEST = 8;

/**
 * Whether it can be the one that runs the program, given what lies in between: a shell's loop waits for whatever it runs; cron
 * lives on above a shell that has ended.
 */
function reaches(through: Through, kind: ParentKind): boolean {
  if (through === 'wrappers' || (kind.kind === 'shell' && !kind.hasTerminal)) return true;
  return through === 'shells' && (kind.kind === 'shell' || kind.kind === 'wrapper');
}

/** Its state now; undefined if it has ended. `startsAgain`: as in KeeperProcess. */
export function lookAtKeeper(
  { table, argvOf }: Pick<KeeperContext, 'table' | 'argvOf'>,
  keeper: KeeperProcess,
): Keeper | undefined {
  const seen = table.read(keeper.pid, [...KIND_FIELDS_BUT_ARGV, 'startTime', 'state', 'threads']);
  if (seen?.startTime !== keeper.startTime || hasEnded(seen)) return undefined;
  const kind = parentKind(withArgv(seen, argvOf(keeper)));
  const counts =
    kind.kind === 'supervisor' ||
    (kind.kind === 'shell' ? !kind.hasTerminal : kind.kind === 'other' && keeper.startsAgain === true);
  return { ...keeper, description: `${printable(kind.name)} (pid ${keeper.pid})`, counts };
}

function withArgv<T extends object>(seen: T, argv: readonly string[] | undefined): T & { readonly argv?: readonly string[] } {
  return argv === undefined ? seen : { ...seen, argv };
}

/** What a user's session leaves behind becomes its child; it restarts only its own services. */
function isUserManager({ name }: ParentKind): boolean {
  return name === 'systemd --user';
}

function runsService(cgroup = ''): boolean {
  return /\/user@\d+\.service\/(?:.*\/)?[^/]+\.service(?:\/|$)/.test(cgroup);
}

/**
 * True for the unit of one of our commands, or of the program's own start_command: that is stopped when the program is started
 * again.
 */
function isOurCommand(unit: string | undefined, systemName: string): boolean {
  return unit !== undefined && (isAppUnitOf(unit, systemName) || isRunUnit(unit));
}
