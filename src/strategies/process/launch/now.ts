import { LoopPause } from '../../../core/loop-pause.ts';
import type { LaunchRecord } from '../../../core/program/launch-record.ts';
import type { Pin } from '../../../core/program/pin.ts';
import type { LaunchesNow } from '../../strategy.ts';
import type { ProcessTree } from '../identity/identity.ts';
import { NEVER_SEEN, OLD_RECORD, UNUSABLE } from '../launch-words.ts';
import { type LaunchContext, livingLaunch, type RecalledLaunch, type RecordedName, recallLaunch } from './memory.ts';
import { sameLaunch } from './same-launch.ts';

/**
 * How the running trees were started; if that cannot be read, or none runs, the recorded launch. Never a confined one.
 * `unusable`: as in LaunchNote.
 */
export async function launchesOf(
  context: LaunchContext,
  trees: readonly ProcessTree[],
  stored: LaunchRecord | undefined,
  unusable: string | undefined,
): Promise<LaunchesNow> {
  const living: RecalledLaunch[] = [];
  const pause = new LoopPause();
  for (const tree of trees) {
    if (pause.isDue) await pause.take();
    living.push(tree.orphaned ? LEFT_OVER : await livingLaunch(context, tree));
  }
  const records = living.flatMap((launch) => (launch.kind === 'known' ? [launch.record] : []));
  if (records.length > 0 && records.length === living.length) return { kind: 'known', records, running: true };
  const unknown = living.flatMap((launch) => (launch.kind === 'unknown' ? [launch] : []));
  const isConfined = unknown.some(({ confined }) => confined === true);
  if (unusable !== undefined && living.every((launch) => launch === LEFT_OVER))
    return { kind: 'refused', reason: `${UNUSABLE}: ${unusable}` };
  if (stored?.unconfined === true && !isConfined) return { kind: 'known', records: [stored], running: false };
  const [first] = unknown;
  if (first !== undefined) return { kind: 'refused', reason: `${UNUSABLE}: ${first.reason}` };
  return { kind: 'refused', reason: stored === undefined ? NEVER_SEEN : OLD_RECORD };
}

const LEFT_OVER: RecalledLaunch = { kind: 'unknown', reason: 'it outlived the one that was started' };

/** How what runs differs from what would be started, one line each. `advice`: what resolves it. */
export async function differencesOf(
  context: LaunchContext,
  trees: readonly ProcessTree[],
  known: { readonly pin: Pin | undefined; readonly stored: LaunchRecord | undefined; readonly name: RecordedName },
  advice: string,
): Promise<string[]> {
  const { pin, stored, name } = known;
  const [oldest] = trees;
  if (oldest === undefined) return [];
  if (pin === undefined) {
    const recalled = await recallLaunch(context, stored, oldest, name);
    const otherwise = recalled.kind === 'known' ? recalled.otherwise : undefined;
    return otherwise === undefined ? [] : [`pid ${oldest.root.pid}: ${otherwise}: ${advice}`];
  }
  const lines: string[] = [];
  const pause = new LoopPause();
  for (const tree of trees.filter(({ orphaned }) => !orphaned)) {
    if (pause.isDue) await pause.take();
    const living = await livingLaunch(context, tree);
    if (living.kind === 'unknown' || pin.launches.some(({ record }) => sameLaunch(record, living.record))) continue;
    lines.push(`pid ${tree.root.pid} does not run as it was pinned: what is pinned would be started`);
  }
  return lines;
}
