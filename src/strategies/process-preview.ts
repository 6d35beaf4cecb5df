import { Breath } from '../core/breath.ts';
import { localTimestamp } from '../core/clock.ts';
import { counted } from '../core/counted.ts';
import { printable } from '../core/printable.ts';
import type { SeenProcess } from '../system/proc/look.ts';
import type { ProcessTable } from '../system/proc/table.ts';
import type { ProcessTree } from './process-match.ts';
import type { ProcessOptions } from './process-options.ts';
import { describeArgv } from './process-start.ts';

/** A line for each (describeTree); the loop turns in between. */
export async function describeTrees(table: ProcessTable, trees: readonly ProcessTree[], now: Date): Promise<string[]> {
  const lines: string[] = [];
  const breath = new Breath();
  for (const tree of trees) {
    if (breath.isDue) await breath.take();
    lines.push(describeTree(table, tree, now));
  }
  return lines;
}

/** One line on a running tree: pid, user, since when, command line, how many descend from it. `now` is the wall clock. */
function describeTree(table: ProcessTable, { root, descendants }: ProcessTree, now: Date): string {
  const uid = table.read(root.pid, ['uids'])?.uids?.effective;
  const since = localTimestamp(new Date(now.getTime() - table.ageMs(root)));
  const command = root.argv === undefined || root.argv.length === 0 ? printable(root.name) : describeArgv(root.argv);
  const unit = table.read(root.pid, ['cgroup'])?.cgroup?.split('/').at(-1) ?? '';
  const parts = [
    `pid ${root.pid}`,
    uid === undefined ? '' : `user ${uid}`,
    `since ${since}`,
    unit.endsWith('.service') ? `in unit ${printable(unit)}` : '',
    descendants.length === 0 ? '' : `with ${counted(descendants.length, 'descendant', 'descendants')}`,
  ];
  return `${parts.filter(Boolean).join(', ')}: ${command}`;
}

/** `pid 12, 34 and 5 more`: the roots. */
export function describePids(trees: readonly ProcessTree[]): string {
  const pids = trees.slice(0, SHOWN_PIDS).map(({ root }) => root.pid);
  const rest = trees.length > pids.length ? ` and ${trees.length - pids.length} more` : '';
  return `pid ${pids.join(', ')}${rest}`;
}

/** Who bears the name and is not taken for the program, a line each; of many the first ten. */
export function describeStrangers(table: ProcessTable, strangers: readonly SeenProcess[]): string[] {
  return strangers.slice(0, SHOWN_PIDS).map(({ pid }) => {
    const uid = table.read(pid, ['uids'])?.uids?.effective ?? 'unknown';
    return `pid ${pid} bears that name too and is not touched: it is user ${uid}'s (set user, or any_user = true, if it is the program)`;
  });
}

const SHOWN_PIDS = 10;

/** Why so many must not be stopped, in one line; undefined where they may. */
export function ambiguityOf(
  trees: readonly ProcessTree[],
  { maxMatches }: Pick<ProcessOptions, 'maxMatches'>,
): string | undefined {
  if (trees.length <= maxMatches) return undefined;
  return `ambiguous: ${trees.length} programs of that name run (${describePids(trees)}), max_matches is ${maxMatches}`;
}
