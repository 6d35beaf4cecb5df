// Records the roots by which a program is recognised later.
import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { type RootProcess, sameProcess } from '../../../core/program/roots.ts';
import type { ProcessLook } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { StrategyParts } from '../../strategy.ts';
import { unitOfMain } from '../../unit/programs/of-main.ts';
import { knownBy, type ProcessTree } from '../identity/identity.ts';
import type { Matches } from '../identity/match.ts';
import { sessionOfOwn } from '../identity/rest.ts';
import type { ProcessOptions } from '../options.ts';
import type { Supervision } from '../supervision/supervision.ts';
import { KIN, type Kin, rootsOfRun, topmostOfRun } from './by-run-id.ts';
import { isLife } from './from-command.ts';
import { listensIn } from './unit-rest.ts';

/** What recording the roots of programs needs. */
type KnownRootsParts = Pick<StrategyParts, 'launches' | 'pins' | 'roots' | 'programs' | 'services' | 'clock'>;

/** Records the roots by which programs are recognised after those have ended, or after the daemon has. */
export class KnownRoots {
  readonly #options: ProcessOptions;
  readonly #parts: KnownRootsParts;
  readonly #table: ProcessTable;
  readonly #supervision: Supervision;
  /** Names of which something was found running, or was started. */
  readonly #seen = new Set<string>();
  readonly #seenOfOthers = new Set<string>();

  constructor(options: ProcessOptions, parts: KnownRootsParts, table: ProcessTable, supervision: Supervision) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    this.#supervision = supervision;
  }

  /** As ProgramRoots.get. */
  get(systemName: string): readonly RootProcess[] {
    return this.#parts.roots.get(systemName);
  }

  /** True if this daemon has found something of that name running, or has started it. */
  wasSeen(systemName: string): boolean {
    return this.#seen.has(systemName);
  }

  /** True if something of that name was found running that we did not start. */
  wasOthers(systemName: string): boolean {
    return this.#seenOfOthers.has(systemName) || this.get(systemName).some(({ ours }) => ours !== true);
  }

  /**
   * Notes what a look found of a program that was known by `known`: if nothing of it is left, its roots have ended for good.
   */
  async saw(systemName: string, found: Matches & { readonly kind: 'found' }, known: readonly RootProcess[]): Promise<void> {
    for (const tree of found.trees) {
      if (this.#seenOfOthers.has(systemName)) break;
      if (tree.by !== 'start' && (await this.#isLife(tree))) this.#seenOfOthers.add(systemName);
    }
    if (found.trees.length > 0) this.#seen.add(systemName);
    else if (found.rest.length === 0) this.#markEmpty(systemName, known);
  }

  #isLife(tree: ProcessTree): Promise<boolean> {
    return isLife(this.#table, tree, this.#options.commandTimeoutMs);
  }

  #markEmpty(systemName: string, known: readonly RootProcess[]): void {
    const isGone = (root: RootProcess): boolean => root.isEmpty !== true && !this.#table.exists(root);
    // A start may have come in between: what that recorded was not looked for.
    if (!known.some(isGone) || !isSameRoots(known, this.get(systemName))) return;
    this.#parts.roots.set(
      systemName,
      known.map((root) => (isGone(root) ? { ...root, isEmpty: true } : root)),
    );
  }

  /** Records what the program is known by from now on. `trees`: what was found of it, oldest first. Never rejects. */
  async record(managed: ManagedProcess, trees: readonly ProcessTree[], signal: AbortSignal): Promise<void> {
    const { systemName } = managed;
    const known = this.get(systemName);
    const withKeepers = (root: RootProcess): RootProcess => this.#supervision.withKeepers(systemName, root);
    const roots: RootProcess[] = [];
    for (const tree of trees) {
      if (!(await this.#isLife(tree))) continue;
      const { pid, startTime, pgid, sid, executable } = tree.root;
      const same = known.find(sameProcess(tree.root));
      const now = {
        ...(executable && { executable }),
        ...cgroupOf(this.#table, pid),
        ...(tree.by !== 'start' && { knownBy: knownBy(tree.by, managed, this.#options) }),
      };
      // It may have executed another file since it was started.
      if (same !== undefined) roots.push(withKeepers(this.#table.isThere(tree.root) ? { ...same, ...now } : same));
      // While the leftovers of an ended root run, they are known by that root.
      else if (tree.orphaned) roots.push(...known.filter((root) => root.pid === pgid || root.pid === sid));
      else {
        const main = await unitOfMain(this.#table, this.#parts.services, tree, process.pid, signal);
        // Not recorded before that is known: the next look asks again.
        if (main.kind === 'unknown') return;
        const unit = main.kind === 'unit' ? main.unit : undefined;
        const listens = unit === undefined ? [] : await listensIn(this.#table, this.#parts.services, { pid, unit }, signal);
        const ours = tree.by === 'start' ? ({ ours: true } as const) : {};
        const session = await sessionOfOwn(this.#table, tree);
        const root = {
          pid,
          startTime,
          ...ours,
          ...(session && { session }),
          ...uidOf(this.#table, tree.root),
          ...now,
          ...(unit && { unit }),
          ...(listens.length > 0 && { listens }),
        };
        // It may have ended meanwhile, and all of this may be of another process that has its number.
        if (this.#table.isThere(tree.root)) roots.push(withKeepers(root));
      }
    }
    // A start may have come in between: what that recorded is newer.
    if (roots.length > 0 && isSameRoots(known, this.get(systemName))) this.#set(systemName, roots);
  }

  /** We have started it: `pids` of its copies if they are known; else looks for processes with the run's id. Never rejects. */
  async started({ systemName }: ManagedProcess, pids: readonly (number | undefined)[], runId: string): Promise<void> {
    const known = pids.filter((pid) => pid !== undefined);
    // What went into the background in one of our units is found in that unit.
    const isInUnit = this.#parts.programs.starter === 1;
    const more =
      known.length < pids.length && !isInUnit ? await this.#ofRun(systemName, runId, await this.#table.survey(KIN)) : [];
    const roots = rootsOfRun(this.#table, [...new Set([...known, ...more])], runId);
    this.#set(systemName, roots);
    this.#seen.add(systemName);
  }

  /** What we started as `pid` has ended, and left these processes behind. */
  left({ systemName }: ManagedProcess, pid: number, left: readonly number[], runId: string): void {
    const known = this.get(systemName);
    // Else it was started again in the meantime.
    if (left.length === 0 || !known.some((root) => root.pid === pid && root.runId === runId)) return;
    this.#set(systemName, [...known.filter((root) => root.pid !== pid), ...rootsOfRun(this.#table, left, runId)]);
  }

  /** A start script may become the program by exec(3): its later leftovers are recognised by the file that it executes now. */
  followExec(systemName: string, known: readonly RootProcess[], trees: readonly ProcessTree[]): void {
    const roots = known.map((root) => {
      const { executable } = trees.map(({ root: now }) => now).find(sameProcess(root)) ?? root;
      return executable === undefined || executable === root.executable ? root : { ...root, executable };
    });
    const isNew = roots.some((root, index) => root !== known[index]);
    // A start may have come in between: what that recorded is newer.
    if (isNew && isSameRoots(known, this.get(systemName))) this.#set(systemName, roots);
  }

  /**
   * What we started directly may have gone into the background late, in a process of another session. Looks for it once, by its
   * run's id, when what we knew of it (`known`) has disappeared from the look. Returns its roots, which are recorded; undefined
   * if there are none. Never rejects.
   */
  async findLost(
    systemName: string,
    found: Matches,
    known: readonly RootProcess[],
    { all }: ProcessLook,
  ): Promise<readonly RootProcess[] | undefined> {
    if (this.#parts.programs.starter === 1 || found.kind === 'refused' || found.trees.length > 0) return undefined;
    const { runId, startTime = 0 } = known.find((root) => root.ours && root.isEmpty !== true && root.runId !== undefined) ?? {};
    if (runId === undefined) return undefined;
    const younger = [...all.values()].filter((seen) => seen.startTime >= startTime);
    const ours = rootsOfRun(this.#table, await this.#ofRun(systemName, runId, younger), runId);
    // A helper that it left behind is not the program.
    const roots = ours.filter(({ executable }) => known.some((root) => root.executable === executable));
    if (roots.length === 0 || !isSameRoots(known, this.get(systemName))) return undefined;
    this.#set(systemName, roots);
    return roots;
  }

  #ofRun(systemName: string, runId: string, processes: readonly Kin[]): Promise<number[]> {
    return topmostOfRun(this.#options, this.#parts, this.#table, { systemName, runId, processes });
  }

  /** Records them under all names that meant the same program until now: they still do. */
  #set(systemName: string, roots: readonly RootProcess[]): void {
    const { roots: kept } = this.#parts;
    const names = new Set([systemName, ...kept.get(systemName).flatMap((root) => kept.namesOf(root))]);
    for (const name of names) kept.set(name, roots);
  }
}

function isSameRoots(one: readonly RootProcess[], other: readonly RootProcess[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ pid, startTime }, index) => other[index]?.pid === pid && other[index]?.startTime === startTime)
  );
}

function uidOf(table: ProcessTable, { pid }: { readonly pid: number }): { readonly uid?: number } {
  const uid = table.read(pid, ['uids'])?.uids?.real;
  return uid === undefined ? {} : { uid };
}

function cgroupOf(table: ProcessTable, pid: number): { readonly cgroup?: string } {
  const cgroup = table.read(pid, ['cgroup'])?.cgroup;
  return cgroup === undefined ? {} : { cgroup };
}
