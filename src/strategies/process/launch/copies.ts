import { LoopPause } from '../../../core/loop-pause.ts';
import type { LaunchRecord, LaunchRecords } from '../../../core/program/launch-record.ts';
import type { ProcessTree } from '../identity/identity.ts';
import {
  isCaged,
  type LaunchSight,
  livingLaunch,
  type RecalledLaunch,
  type RecordedName,
  type UnknownLaunch,
} from './memory.ts';
import { sameLaunch } from './same-launch.ts';

/**
 * Keeps how the copies beside the first were started: as many as there ever were at once, so that a restart brings back one that has
 * died meanwhile; all anew where somebody started all of it anew (`isAllNew`). A copy that must not be started by what is kept now, if
 * there is one.
 */
export async function rememberCopies(
  sight: LaunchSight,
  launches: LaunchRecords,
  { systemName }: RecordedName,
  trees: readonly ProcessTree[],
  isAllNew: boolean,
): Promise<UnknownLaunch | undefined> {
  const isKept = !isAllNew && trees.length <= launches.further(systemName).length;
  const recalled: RecalledLaunch[] = [];
  const pause = new LoopPause();
  for (const tree of trees) {
    if (pause.isDue) await pause.take();
    if (!isKept || !tree.orphaned) recalled.push(await livingLaunch(sight, tree));
  }
  if (isKept) return recalled.find(isCaged);
  launches.setFurther(
    systemName,
    recalled.flatMap((launch) => (launch.kind === 'known' ? [launch.record] : [])),
  );
  return recalled.find((launch) => launch.kind === 'unknown');
}

/** What is to be started for all that ran. */
export interface WholeLaunch {
  /** Of what runs, and of the recorded copies that do not. */
  readonly records: readonly LaunchRecord[];
  /** Of what runs, one that cannot be started again, though the whole is more than the records. */
  readonly lacking: UnknownLaunch | undefined;
}

/** How all of a program is started: as what runs was (the first one first), as the first (`stored`) and further recorded ones were. */
export function wholeLaunch(
  running: readonly RecalledLaunch[],
  stored: LaunchRecord | undefined,
  copies: readonly LaunchRecord[],
): WholeLaunch {
  const known = running.flatMap((launch) => (launch.kind === 'known' ? [launch.record] : []));
  const unknown = running.flatMap((launch) => (launch.kind === 'unknown' ? [launch] : []));
  const all = stored === undefined ? copies : [stored, ...copies];
  const missing = missingOf(known, all);
  const confined = unknown.find(isCaged);
  // For a copy that tells nothing a recorded one stands in, but for a cage; for the first one its own record would have.
  const isCovered = confined === undefined && running[0]?.kind !== 'unknown' && unknown.length <= missing.length;
  return { records: [...known, ...missing], lacking: isCovered ? undefined : (confined ?? unknown[0]) };
}

/** Those of `all` recorded ones that are not among `known`, as many as are missing. */
function missingOf(known: readonly LaunchRecord[], all: readonly LaunchRecord[]): readonly LaunchRecord[] {
  const left = [...known];
  const missing = all.filter((record) => {
    const at = left.findIndex((other) => sameLaunch(other, record));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return missing.slice(0, Math.max(all.length - known.length, 0));
}
