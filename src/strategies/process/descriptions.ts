import { zonedTimestamp } from '../../core/clock.ts';
import { LoopPause } from '../../core/loop-pause.ts';
import { counted } from '../../core/text/counted.ts';
import { printable } from '../../core/text/printable.ts';
import { userWords } from '../../system/accounts/names.ts';
import { judgeWhole, type SeenProcess } from '../../system/proc/look.ts';
import type { ProcessTable } from '../../system/proc/table.ts';
import type { ProcessTree, Witness } from './identity/identity.ts';
import type { Matches } from './identity/match.ts';
import type { Foreign } from './identity/owner.ts';
import { describeArgv } from './launch-words.ts';
import type { ProcessOptions } from './options.ts';

/** One line for each (describeTree), and one for all beyond the first few; yields to the event loop in between. */
export async function describeTrees(table: ProcessTable, trees: readonly ProcessTree[], now: Date): Promise<string[]> {
  const lines: string[] = [];
  const shown = trees.slice(0, SHOWN_TREES);
  const roots = shown.map(({ root }) => root);
  const commands = (await judgeWhole(table, roots, describeCommand)).verdicts;
  const pause = new LoopPause();
  for (const tree of shown) {
    if (pause.isDue) await pause.take();
    lines.push(describeTree(table, tree, commands.get(tree.root) ?? describeCommand(tree.root), now));
  }
  return trees.length > shown.length ? [...lines, `and ${trees.length - shown.length} more`] : lines;
}

const SHOWN_TREES = 20;

/** One line on a running tree: pid, user, since when, command line, number of descendants. `now` is the wall clock. */
function describeTree(table: ProcessTable, { root, descendants, by }: ProcessTree, command: string, now: Date): string {
  const uid = table.read(root.pid, ['uids'])?.uids?.effective;
  const since = zonedTimestamp(new Date(now.getTime() - table.ageMs(root)));
  const unit = table.read(root.pid, ['cgroup'])?.cgroup?.split('/').at(-1) ?? '';
  const parts = [
    `pid ${root.pid}`,
    uid === undefined ? '' : userWords(uid),
    `since ${since}`,
    unit.endsWith('.service') ? `in unit ${printable(unit)}` : '',
    WITNESS_WORDS[by],
    descendants.length === 0 ? '' : `with ${counted(descendants.length, 'descendant', 'descendants')}`,
  ];
  return `${parts.filter(Boolean).join(', ')}: ${command}`;
}

function describeCommand({ name, argv = [] }: SeenProcess): string {
  return argv.length === 0 ? printable(name) : describeArgv(argv);
}

/** `pid 12, 34 and 5 more`: the roots. */
export function describePids(trees: readonly ProcessTree[]): string {
  const pids = trees.slice(0, SHOWN_PIDS).map(({ root }) => root.pid);
  const rest = trees.length > pids.length ? ` and ${trees.length - pids.length} more` : '';
  return `pid ${pids.join(', ')}${rest}`;
}

/**
 * The processes that have the name and are not taken for the program, one line each: the first ten, and how many more there
 * are.
 */
export function describeForeignProcesses(foreign: ReadonlyMap<SeenProcess, Foreign>): string[] {
  const shown = [...foreign].slice(0, SHOWN_PIDS);
  const lines = shown.map(([{ pid }, why]) => `pid ${pid} has that name too and is not touched: ${describeForeign(why)}`);
  const more = foreign.size - lines.length;
  return more === 0 ? lines : [...lines, `and ${more} more have that name and are not touched`];
}

/** Whoever had it started chose its name: so no setting is suggested that would make it the program. */
function describeForeign(why: Foreign): string {
  switch (why.kind) {
    case 'owner':
      return `it belongs to ${userWords(why.uid)} (set user, or any_user = true, if it is the program)`;
    case 'starter':
      return `it was started by ${userWords(why.uid)}`;
    case 'unknown':
      return 'its owner can no longer be determined';
    default:
      return why satisfies never;
  }
}

const SHOWN_PIDS = 10;

/** What ended roots left behind, in one line; [] if there is nothing. */
export function describeRest(rest: readonly SeenProcess[]): string[] {
  if (rest.length === 0) return [];
  const shown = rest.slice(0, SHOWN_PIDS).map(({ pid, name }) => `${pid} (${printable(name)})`);
  const more = rest.length > shown.length ? ` and ${rest.length - shown.length} more` : '';
  return [`pid ${shown.join(', ')}${more}: left behind by it`];
}

/** Why what runs must not be stopped, in one line; undefined if it may be. */
export function ambiguityOf(
  { trees, further }: Pick<Matches & { readonly kind: 'found' }, 'trees' | 'further'>,
  { maxMatches }: Pick<ProcessOptions, 'maxMatches'>,
): string | undefined {
  if (trees.length > maxMatches)
    return `ambiguous: ${trees.length} copies run (${describePids(trees)}), max_matches is ${maxMatches}`;
  const [other] = further;
  if (other === undefined) return undefined;
  const copies = further.length === 1 ? 'a further copy runs' : `${further.length} further copies run`;
  return `ambiguous: beside it (${describePids(trees)}) ${copies} (${describePids(further)}, known by its ${KNOWN_BY[other.by]}), max_matches is ${maxMatches}`;
}

const WITNESS_WORDS: Readonly<Record<Witness, string>> = {
  start: 'started by monitor_service',
  pid_file: 'known by its pid_file',
  argument: 'known by its argument',
  name: '',
};
const KNOWN_BY: Readonly<Record<Witness, string>> = { start: 'unit', pid_file: 'pid_file', argument: 'argument', name: 'name' };
