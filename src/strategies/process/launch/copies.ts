import { LoopPause } from '../../../core/loop-pause.ts';
import type { LaunchRecord, LaunchRecords } from '../../../core/program/launch-record.ts';
import type { ProcessTree } from '../identity/identity.ts';
import {
  isSurelyConfined,
  type LaunchContext,
  livingLaunch,
  type RecalledLaunch,
  type RecordedName,
  type UnknownLaunch,
} from './memory.ts';
import { sameLaunch } from './same-launch.ts';

/**
 * Records how the copies after the first were started: as many as ever ran at once, so that a restart brings back one that has
 * died in the meantime. Replaces all records if somebody started all copies again (`isAllNew`). Returns a copy that must not be
 * started from the records, if there is one.
 */
export async function rememberCopies(
  context: LaunchContext,
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
    if (!isKept || !tree.orphaned) recalled.push(await livingLaunch(context, tree));
  }
  if (isKept) return recalled.find(isSurelyConfined);
  launches.setFurther(
    systemName,
    recalled.flatMap((launch) => (launch.kind === 'known' ? [launch.record] : [])),
  );
  return recalled.find((launch) => launch.kind === 'unknown');
}

/** What is to be started in place of everything that ran. */
export interface WholeLaunch {
  /** The launches of what runs, and of the recorded copies that do not. */
  readonly records: readonly LaunchRecord[];
  /** A running copy that cannot be started again and that no record covers. */
  readonly lacking: UnknownLaunch | undefined;
}

/**
 * How all of a program is started: as what runs was (first one first), and as the first (`stored`) and further recorded ones
 * were.
 */
export function wholeLaunch(
  running: readonly RecalledLaunch[],
  stored: LaunchRecord | undefined,
  copies: readonly LaunchRecord[],
): WholeLaunch {
  const known = running.flatMap((launch) => (launch.kind === 'known' ? [launch.record] : []));
  const unknown = running.flatMap((launch) => (launch.kind === 'unknown' ? [launch] : []));
  const all = stored === undefined ? copies : [stored, ...copies];
  const missing = missingOf(known, all);
  const confined = unknown.find(isSurelyConfined);
  // A recorded copy covers an unreadable one, but not a confined one; the first one would be covered by its own record.
  const isCovered = confined === undefined && running[0]?.kind !== 'unknown' && unknown.length <= missing.length;
  return { records: [...known, ...missing], lacking: isCovered ? undefined : (confined ?? unknown[0]) };
}

/** Those of the recorded ones `all` that are not among `known`, as many as are missing. */
function missingOf(known: readonly LaunchRecord[], all: readonly LaunchRecord[]): readonly LaunchRecord[] {
  const left = [...known];
  const missing = all.filter((record) => {
    const at = left.findIndex((other) => sameLaunch(other, record));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return missing.slice(0, Math.max(all.length - known.length, 0));
}
