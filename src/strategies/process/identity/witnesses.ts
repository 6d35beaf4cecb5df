import { LoopPause } from '../../../core/loop-pause.ts';
import { isInterpreter } from '../../../core/program/interpreters.ts';
import { groupOfService } from '../../../system/proc/group-members.ts';
import { judgeWhole, type ProcessLook, type SeenProcess } from '../../../system/proc/look.ts';
import { hasEnded } from '../../../system/proc/parse.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { byArgument } from './argument.ts';
import { isPossible, type Known, known, matcherOf, ownedOf, ownerTest } from './candidates.ts';
import type { Identity, Witness } from './identity.ts';
import { foreignTo, runsRootsFile } from './owner.ts';
import { readPidFile } from './pid-file.ts';
import { memberTest } from './rest.ts';

/** All witnesses, the most reliable first: the first one that knows a living process decides. */
export const witnesses: readonly {
  readonly name: Witness;
  readonly find: (table: ProcessTable, identity: Identity, look: ProcessLook) => Promise<Known>;
}[] = [
  { name: 'start', find: byStart },
  { name: 'pid_file', find: byPidFile },
  { name: 'argument', find: byArgument },
  { name: 'name', find: byName },
];

/**
 * What this witness knew with the section as it is now, and what still lives: the very same process, still of one of the
 * owners. Its name and its files may have changed, but it must not have executed another file.
 */
export function stillKnown(
  table: ProcessTable,
  identity: Identity,
  { all }: ProcessLook,
  witness: Witness,
  { names }: Known,
): SeenProcess[] {
  const recorded = identity.knownRoots.filter(
    ({ pid, knownBy }) => knownBy === identity.knownBy(witness) && (names ?? pid) === pid,
  );
  if (recorded.length === 0) return [];
  const [isOwned, isCandidate] = [ownerTest(table, identity), isPossible(table, identity, all)];
  const isOthers = (seen: SeenProcess): boolean => witness === 'name' && identity.isOthers(seen);
  return recorded.flatMap(({ pid, startTime, executable }) => {
    const seen = all.get(pid);
    const isSame = seen?.startTime === startTime && (seen.executable ?? executable) === executable;
    return seen !== undefined && isSame && isCandidate(seen) && isOwned(seen) && !isOthers(seen) ? [seen] : [];
  });
}

/**
 * What we started: the very process; else what lives in the unit that we gave it, or in the process group or session of the
 * process that we started. If that process has ended, only what executes the same file counts: a helper that it left behind
 * does not prove that it runs.
 */
async function byStart(table: ProcessTable, identity: Identity, { all }: ProcessLook): Promise<Known> {
  const ours = identity.knownRoots.filter((root) => root.ours === true);
  const living = ours.flatMap((root) => {
    const seen = all.get(root.pid);
    return seen !== undefined && seen.startTime === root.startTime && !hasEnded(seen) ? [seen] : [];
  });
  const found = new Set(living);
  const gone = ours.filter(({ pid }) => !living.some((seen) => seen.pid === pid));
  const isOwned = ownerTest(table, identity);
  // Another user's worker is stopped with a restart (rest.ts), and does not prove that the program runs.
  const isSame = (seen: SeenProcess): boolean =>
    gone.length === 0 ||
    (gone.some(({ executable }) => executable === undefined || executable === seen.executable) && isOwned(seen));
  for (const unit of identity.units) {
    const inside = table.inGroup(groupOfService(unit)).flatMap((pid) => all.get(pid) ?? []);
    // While the process that we started lives, all others in its unit belong to it.
    const isLed = inside.some((seen) => found.has(seen));
    for (const seen of inside)
      if (!hasEnded(seen) && identity.unitOf(seen.pid) === unit && (isLed || isSame(seen))) found.add(seen);
  }
  if (gone.length > 0) {
    const isMember = memberTest(table, all, isOwned);
    for (const seen of all.values()) {
      if (hasEnded(seen) || seen.kernelThread) continue;
      if (gone.some((root) => isMember(root, seen) && root.executable === seen.executable && isOwned(seen))) found.add(seen);
    }
  }
  return known([...found]);
}

async function byPidFile(table: ProcessTable, identity: Identity, { all }: ProcessLook): Promise<Known> {
  const { pidFile, owners } = identity;
  if (pidFile === undefined) return known([]);
  const read = readPidFile(table, pidFile, owners.uids, identity.nowMs);
  const none = { ...known([]), ...(read.pid !== undefined && { names: read.pid }) };
  if (read.kind === 'unusable') return { ...none, remarks: [read.reason] };
  const seen = read.kind === 'pid' ? all.get(read.pid) : undefined;
  if (read.kind === 'absent' || seen === undefined || !isPossible(table, identity, all)(seen)) return none;
  const foreign = read.uid === 0 ? undefined : foreignTo(table, seen, [read.uid]);
  if (foreign === undefined) return { ...none, found: [seen] };
  const why = foreign.kind === 'starter' ? `was started by user ${foreign.uid}, not by` : 'does not belong to';
  const remark = `pid_file is not used: process ${seen.pid} ${why} user ${read.uid}, who owns the file`;
  return { ...none, remarks: [remark] };
}

async function byName(table: ProcessTable, identity: Identity, look: ProcessLook): Promise<Known> {
  const { process, knownRoots } = identity;
  const { systemName } = process;
  // A section that sets system_name beside argument has several programs of that name, which the argument tells apart.
  if (identity.argument !== undefined && process.systemNameConfigured) return known([]);
  // Every other script of that interpreter has the name too.
  if (isInterpreter(systemName) && (identity.argument !== undefined || identity.pidFile !== undefined)) return known([]);
  const isCandidate = isPossible(table, identity, look.all);
  const isNamed = matcherOf(table, identity);
  const isOwned = ownerTest(table, identity);
  const isMember = memberTest(table, look.all, isOwned);
  const matching: SeenProcess[] = [];
  const leftOver: SeenProcess[] = [];
  const pause = new LoopPause();
  const called = look.calledBy(systemName);
  const judged = await judgeWhole(table, called, (seen) => isNamed(seen) && isCandidate(seen));
  for (const seen of called) {
    if (pause.isDue) await pause.take();
    if (judged.verdicts.get(seen) !== true || identity.isOthers(seen)) continue;
    // Another user's worker is stopped with a restart (rest.ts), and does not prove that the program runs.
    const isLeft = knownRoots.some((root) => isMember(root, seen)) && isOwned(seen);
    (isLeft ? leftOver : matching).push(seen);
  }
  const owned = await ownedOf(
    table,
    identity,
    matching,
    (seen) => runsRootsFile(table, seen, [systemName]),
    leftOver.length > 0,
  );
  return { ...owned, found: [...owned.found, ...leftOver], unread: judged.unread };
}
