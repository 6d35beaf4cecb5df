// What all witnesses share: which processes can be the program at all, and whose they must be.
import { resolve } from 'node:path';
import { argv as ownArgv } from 'node:process';
import { LoopPause } from '../../../core/loop-pause.ts';
import { lastPart } from '../../../core/process/comm.ts';
import { linkedFile } from '../../../system/files/host-path.ts';
import { scriptRun } from '../../../system/launch/script-run.ts';
import { judgeWhole, type SeenProcess } from '../../../system/proc/look.ts';
import { hasEnded } from '../../../system/proc/parse.ts';
import { ancestorsOf } from '../../../system/proc/process-tree.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { Identity } from './identity.ts';
import { programMatcher } from './name.ts';
import { type Foreign, foreignTo, isOwnedBy, runsRootsFile } from './owner.ts';
import { readPidFile } from './pid-file.ts';

/** What one witness knows. */
export interface Known {
  readonly found: readonly SeenProcess[];
  /** Processes that would be the program, but belong to another user, and why they do not count. */
  readonly foreign: ReadonlyMap<SeenProcess, Foreign>;
  /** What was not believed, one line each. */
  readonly remarks: readonly string[];
  /** Processes for which it could not be determined whether they are the program. */
  readonly unread?: readonly SeenProcess[];
  /**
   * The pid that it names, whether such a process exists or not: the process that it named before is not the program any more.
   */
  readonly names?: number;
}

/** Whether a process belongs to root, to the daemon's own user or to the program's users. */
export function ownerTest(table: ProcessTable, { owners }: Identity): (seen: SeenProcess) => boolean {
  return (seen) => owners.others === 'all' || isOwnedBy(table, seen, owners.uids);
}

/**
 * False for this process, kernel threads, ended processes, other pid namespaces, command lines of this program (isOwnCommand)
 * and commands that we run for another process.
 */
export function isPossible(
  table: ProcessTable,
  { process, ownPid }: Identity,
  all: ReadonlyMap<number, SeenProcess>,
): (seen: SeenProcess) => boolean {
  let ownDepth: number | undefined;
  return (seen) => {
    if (seen.pid === ownPid || seen.kernelThread || hasEnded(seen)) return false;
    ownDepth ??= table.read(ownPid, ['namespaceDepth'])?.namespaceDepth ?? 0;
    if (table.read(seen.pid, ['namespaceDepth'])?.namespaceDepth !== ownDepth) return false;
    // An ancestor of ours is not left out here: a name that means it means us, and is refused.
    if (isOwnCommand(table, seen) && !ancestorsOf(ownPid, all).has(seen.pid)) return false;
    // Commands that we run directly are our descendants until they end (a health check `nginx -t` of another process is not
    // nginx); what they leave behind is not. The environment is read for those few only.
    if (!ancestorsOf(seen.pid, all).has(ownPid)) return true;
    const isOwn = table.hasVariable(seen.pid, 'MONITOR_SYSTEM_NAME', process.systemName);
    return isOwn || !table.hasVariable(seen.pid, 'MONITOR_ATTEMPT');
  };
}

/**
 * True for what has the program's name and is named by the pid file of another section, and for its descendants: of two instances of
 * one program, the one that is down must not be taken for the other. The files are read once, and only for processes that the section's
 * own pid file does not name. `pidFilesBeside`: those of other sections.
 */
export function othersTest(
  table: ProcessTable,
  identity: Pick<Identity, 'process' | 'owners' | 'pidFile' | 'nowMs'>,
  pidFilesBeside: readonly string[],
  all: ReadonlyMap<number, SeenProcess>,
): (seen: SeenProcess) => boolean {
  const { pidFile, owners, nowMs } = identity;
  if (pidFile === undefined || pidFilesBeside.length === 0) return () => false;
  const pidIn = (path: string): number[] => {
    const read = readPidFile(table, path, owners.uids, nowMs);
    return read.kind === 'pid' ? [read.pid] : [];
  };
  const isNamed = matcherOf(table, identity);
  // A supervisor with a pid file is not an instance of what it supervises.
  const isInstance = (pid: number): boolean => {
    const seen = all.get(pid);
    return seen !== undefined && isNamed(seen);
  };
  let own: readonly number[] | undefined;
  let others: readonly number[] | undefined;
  return ({ pid }) => {
    const line = ancestorsOf(pid, all);
    own ??= pidIn(pidFile);
    if (own.some((one) => line.has(one))) return false;
    others ??= pidFilesBeside.flatMap(pidIn).filter(isInstance);
    return others.some((one) => line.has(one));
  };
}

/** True for another process that runs this very program: `monitor_service restart NAME` has the name among its arguments. */
export function isOwnCommand(table: ProcessTable, { pid, argv = [] }: SeenProcess): boolean {
  const [node, script] = ownArgv;
  if (node === undefined || script === undefined) return false;
  const named = argv.slice(1, 1 + MOST_OPTIONS).find((word) => lastPart(word) === lastPart(script));
  if (named === undefined || !table.executes(pid, node)) return false;
  const cwd = table.read(pid, ['cwd'])?.cwd;
  return cwd !== undefined && linkedFile(resolve(cwd, named)) === linkedFile(script);
}

/** Options of Node, which come before the script. */
const MOST_OPTIONS = 16;

/** `programMatcher` of its name; accepts the names that a process gives itself only from a trusted owner. */
export function matcherOf(
  table: ProcessTable,
  { process: { systemName }, owners }: Pick<Identity, 'process' | 'owners'>,
): (seen: SeenProcess) => boolean {
  const isBelieved = (seen: SeenProcess): boolean =>
    owners.others === 'all' ||
    isOwnedBy(table, seen, owners.uids) ||
    table.executes(seen.pid, systemName) ||
    (owners.others === 'roots_files' && runsRootsFile(table, seen, [systemName]));
  const name = lastPart(systemName);
  return programMatcher(systemName, isBelieved, (seen) => scriptRun(table, seen, (word) => word === name));
}

/**
 * The matching processes of root, the daemon's user and the program's users. If there are none and none is known, those for
 * which `runsRoots` is true.
 */
export async function ownedOf(
  table: ProcessTable,
  { owners }: Identity,
  matching: readonly SeenProcess[],
  runsRoots: (seen: SeenProcess) => boolean,
  isKnown = false,
): Promise<Known> {
  if (owners.others === 'all') return known(matching);
  const foreign = await foreignOf(table, matching, owners.uids);
  const owned = matching.filter((seen) => !foreign.has(seen));
  const isUnknown = owned.length === 0 && !isKnown && owners.others === 'roots_files';
  const judged = await judgeWhole(table, isUnknown ? matching : [], runsRoots);
  const found = isUnknown ? matching.filter((seen) => judged.verdicts.get(seen) === true) : owned;
  for (const seen of found) foreign.delete(seen);
  return { found, foreign, remarks: [] };
}

/** There may be thousands of foreign processes, and each is examined closely. */
async function foreignOf(
  table: ProcessTable,
  matching: readonly SeenProcess[],
  uids: readonly number[],
): Promise<Map<SeenProcess, Foreign>> {
  const pause = new LoopPause();
  const foreign = new Map<SeenProcess, Foreign>();
  for (const seen of matching) {
    if (pause.isDue) await pause.take();
    const why = foreignTo(table, seen, uids);
    if (why !== undefined) foreign.set(seen, why);
  }
  return foreign;
}

/** `found`, and nothing else. */
export function known(found: readonly SeenProcess[]): Known {
  return { found, foreign: new Map(), remarks: [] };
}
