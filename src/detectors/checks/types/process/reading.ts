// Reads how much the processes of a check use.
import { LoopPause } from '../../../../core/loop-pause.ts';
import type { ProcessLook, SeenProcess } from '../../../../system/proc/look.ts';
import { hasEnded } from '../../../../system/proc/parse.ts';
import type { ProcessIdentity, ProcessInfo, ProcessTable } from '../../../../system/proc/table.ts';
import type { ProcessLimits } from './options.ts';

/** A process as it was read after the look. `rssBytes` and `fdCount` are absent if nobody asked, or if they cannot be read. */
export type ReadProcess = ProcessInfo<(typeof ALWAYS)[number] | 'rssBytes' | 'fdCount'> & {
  /** When it was read, by the clock. */
  readonly atMs: number;
};

const ALWAYS = ['name', 'startTime', 'state', 'threads', 'userCpuMs', 'systemCpuMs'] as const;

/** The processes and their descendants as the look saw them, each once, parents before children. */
export async function familyOf({ all, children }: ProcessLook, found: readonly ProcessIdentity[]): Promise<SeenProcess[]> {
  const family = new Set<SeenProcess>();
  const pause = new LoopPause();
  for (const { pid, startTime } of found) {
    const seen = all.get(pid);
    if (seen?.startTime === startTime) family.add(seen);
  }
  for (const parent of family) {
    if (pause.isDue) await pause.take();
    for (const child of children.get(parent.pid) ?? []) family.add(child);
  }
  return [...family];
}

/** Reads those of the family that still live. */
export async function readFamily(
  table: ProcessTable,
  family: readonly ProcessIdentity[],
  { memory, descriptors }: Pick<ProcessLimits, 'memory' | 'descriptors'>,
  nowMs: () => number,
): Promise<ReadProcess[]> {
  const startTimes = new Map(family.map(({ pid, startTime }) => [pid, startTime]));
  const read: ReadProcess[] = [];
  const fields = [
    ...ALWAYS,
    ...(memory === undefined ? [] : (['rssBytes'] as const)),
    ...(descriptors === undefined ? [] : (['fdCount'] as const)),
  ];
  await table.survey(fields, {
    pids: [...startTimes.keys()],
    visit: (process) => {
      if (process.startTime === startTimes.get(process.pid) && !hasEnded(process)) read.push({ ...process, atMs: nowMs() });
    },
  });
  return read;
}

/** Those of the processes of which something could not be read although they still live: they had not just ended. */
export function unreadOf<P extends ProcessIdentity>(table: Pick<ProcessTable, 'exists'>, missing: readonly P[]): P[] {
  return missing.filter((process) => table.exists(process));
}

/** The process with the most open descriptors, as far as they could be read. `isLeast`: it may have more than that. */
export interface MostDescriptors {
  readonly of: ReadProcess;
  readonly count: number;
  readonly isLeast: boolean;
}

/** Finds it. `unread`: those whose descriptors cannot be read or counted, so that they may have more. */
export function mostDescriptors(
  table: Pick<ProcessTable, 'exists' | 'descriptorNames'>,
  read: readonly ReadProcess[],
  limit: number,
): { readonly most: MostDescriptors | undefined; readonly unread: readonly ReadProcess[] } {
  const unread: ReadProcess[] = [];
  let most: MostDescriptors | undefined;
  const offer = (one: MostDescriptors): void => {
    if (most === undefined || one.count > most.count) most = one;
  };
  for (const of of read) if (of.fdCount !== undefined) offer({ of, count: of.fdCount, isLeast: false });
  const missing = read.filter(({ fdCount }) => fdCount === undefined);
  for (const of of unreadOf(table, missing)) {
    // Before Linux 6.2 very many are not counted: whether they are more than the limit can still be seen.
    const count = table.descriptorNames(of.pid, Math.min(limit + 1, MOST_COUNTED)).length;
    if (count > limit) offer({ of, count, isLeast: true });
    else unread.push(of);
  }
  return { most, unread };
}

const MOST_COUNTED = 65_536;
