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

/** What one witness knows. */
export interface Known {
  readonly found: readonly SeenProcess[];
  /** Who would be it, and is another user's: why they are not. */
  readonly strangers: ReadonlyMap<SeenProcess, Foreign>;
  /** What was not believed, a line each. */
  readonly remarks: readonly string[];
  /** Of whom it could not be told whether they are it. */
  readonly unread?: readonly SeenProcess[];
  /** The pid that it names, be it anybody's or not: whom it named before is not the program any more. */
  readonly names?: number;
}

/** Whether a process is of root's, the daemon's or the program's own users. */
export function ownerTest(table: ProcessTable, { owners }: Identity): (seen: SeenProcess) => boolean {
  return (seen) => owners.others === 'all' || isOwnedBy(table, seen, owners.uids);
}

/**
 * Neither ourselves, nor of the kernel, nor ended, nor in another pid namespace, nor a command line of ours (isOwnCommand), nor a command
 * that we run for another process.
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
    // Above us it is one too many: whoever means that means us.
    if (isOwnCommand(table, seen) && !ancestorsOf(ownPid, all).has(seen.pid)) return false;
    // Commands that we run directly are our descendants until they end (a health check `nginx -t` of another process is no nginx);
    // what they leave behind is not. Only for those few the environment is read.
    if (!ancestorsOf(seen.pid, all).has(ownPid)) return true;
    const isOwn = table.hasVariable(seen.pid, 'MONITOR_SYSTEM_NAME', process.systemName);
    return isOwn || !table.hasVariable(seen.pid, 'MONITOR_ATTEMPT');
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

/** Of Node's, which stand before the script. */
const MOST_OPTIONS = 16;

/** `programMatcher` of its name, by whoever's word can be taken. */
export function matcherOf(table: ProcessTable, { process: { systemName }, owners }: Identity): (seen: SeenProcess) => boolean {
  const isBelieved = (seen: SeenProcess): boolean =>
    owners.others === 'all' ||
    isOwnedBy(table, seen, owners.uids) ||
    table.executes(seen.pid, systemName) ||
    (owners.others === 'roots_files' && runsRootsFile(table, seen, [systemName]));
  const name = lastPart(systemName);
  return programMatcher(systemName, isBelieved, (seen) => scriptRun(table, seen, (word) => word === name));
}

/** Those of root's, the daemon's and the program's own users; where there is none of them, and nobody is known, who `runsRoots`. */
export async function ownedOf(
  table: ProcessTable,
  { owners }: Identity,
  bearers: readonly SeenProcess[],
  runsRoots: (seen: SeenProcess) => boolean,
  isKnown = false,
): Promise<Known> {
  if (owners.others === 'all') return known(bearers);
  const strangers = await foreignOf(table, bearers, owners.uids);
  const owned = bearers.filter((seen) => !strangers.has(seen));
  const isUnknown = owned.length === 0 && !isKnown && owners.others === 'roots_files';
  const judged = await judgeWhole(table, isUnknown ? bearers : [], runsRoots);
  const found = isUnknown ? bearers.filter((seen) => judged.verdicts.get(seen) === true) : owned;
  for (const seen of found) strangers.delete(seen);
  return { found, strangers, remarks: [] };
}

/** Strangers may be thousands, and each is looked at closely. */
async function foreignOf(
  table: ProcessTable,
  bearers: readonly SeenProcess[],
  uids: readonly number[],
): Promise<Map<SeenProcess, Foreign>> {
  const pause = new LoopPause();
  const foreign = new Map<SeenProcess, Foreign>();
  for (const seen of bearers) {
    if (pause.isDue) await pause.take();
    const why = foreignTo(table, seen, uids);
    if (why !== undefined) foreign.set(seen, why);
  }
  return foreign;
}

/** `found`, and nobody else. */
export function known(found: readonly SeenProcess[]): Known {
  return { found, strangers: new Map(), remarks: [] };
}
