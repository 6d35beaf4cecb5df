import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { Breath } from '../../../core/breath.ts';
import { type RootProcess, sameProcess } from '../../../core/program-roots.ts';
import type { ProcessLook } from '../../../system/proc/look.ts';
import type { ProcessInfo, ProcessTable } from '../../../system/proc/table.ts';
import { startDeadline } from '../../deadline.ts';
import type { StrategyParts } from '../../strategy.ts';
import { unitOfMain } from '../../unit/of-main.ts';
import { isLife } from '../launch/from-command.ts';
import type { ProcessOptions } from '../options.ts';
import type { Supervision } from '../supervision/supervision.ts';
import { listensIn } from '../unit-rest.ts';
import { knownBy, type ProcessTree } from './identity.ts';
import type { Matches } from './match.ts';
import { findOwners, isOwnedBy } from './owner.ts';
import { sessionOfOwn } from './rest.ts';

/** What writing down the roots of programs uses. */
export type KnownRootsParts = Pick<StrategyParts, 'launches' | 'pins' | 'roots' | 'programs' | 'services' | 'clock'>;

/** Writes down the roots by which it will know programs when those have ended, or the daemon has. */
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

  /** Takes in what a look found of a program that was known by `known`: where nothing of it is left, its roots have ended for good. */
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
    // A start may have come in between: what that wrote down was not looked for.
    if (!known.some(isGone) || !isSameRoots(known, this.get(systemName))) return;
    this.#parts.roots.set(
      systemName,
      known.map((root) => (isGone(root) ? { ...root, isEmpty: true } : root)),
    );
  }

  /** Writes down what the program is known by from now on. `trees`: what was found of it, oldest first. Never rejects. */
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
      // It may have executed something else since it was started.
      if (same !== undefined) roots.push(withKeepers({ ...same, ...now }));
      // As long as what it left behind runs, the one that is gone is what that is known by.
      else if (tree.orphaned) roots.push(...known.filter((root) => root.pid === pgid || root.pid === sid));
      else {
        const main = await unitOfMain(this.#table, this.#parts.services, tree, process.pid, signal);
        // Not written down before that is known: the next look asks again.
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
        roots.push(withKeepers(root));
      }
    }
    // A start may have come in between: what that wrote down is newer.
    if (roots.length > 0 && isSameRoots(known, this.get(systemName))) this.#set(systemName, roots);
  }

  /** We have started it: `pids` of its copies where they are known; else what bears the run's id is looked for. Never rejects. */
  async started({ systemName }: ManagedProcess, pids: readonly (number | undefined)[], runId: string): Promise<void> {
    const known = pids.filter((pid) => pid !== undefined);
    // What left for the background in a unit of ours is found in that.
    const isInUnit = this.#parts.programs.starter === 1;
    const more =
      known.length < pids.length && !isInUnit ? await this.#withRunId(systemName, runId, await this.#table.survey(KIN)) : [];
    const roots = this.#oursOf([...new Set([...known, ...more])], runId);
    this.#set(systemName, roots);
    this.#seen.add(systemName);
  }

  /** What we started as `pid` has ended, and left these behind. */
  left({ systemName }: ManagedProcess, pid: number, left: readonly number[], runId: string): void {
    const known = this.get(systemName);
    // Else it was started anew meanwhile.
    if (left.length === 0 || !known.some((root) => root.pid === pid && root.runId === runId)) return;
    this.#set(systemName, [...known.filter((root) => root.pid !== pid), ...this.#oursOf(left, runId)]);
  }

  /** A start script may become the program by exec(3): what that leaves behind one day is told by the file that it executes now. */
  followExec(systemName: string, known: readonly RootProcess[], trees: readonly ProcessTree[]): void {
    const roots = known.map((root) => {
      const { executable } = trees.map(({ root: now }) => now).find(sameProcess(root)) ?? root;
      return executable === undefined || executable === root.executable ? root : { ...root, executable };
    });
    const isNews = roots.some((root, index) => root !== known[index]);
    // A start may have come in between: what that wrote down is newer.
    if (isNews && isSameRoots(known, this.get(systemName))) this.#set(systemName, roots);
  }

  /**
   * What we started directly may have left for the background late, by a process of another session: looked for once, by its run's id,
   * when what we knew of it (`known`) has gone from the look. Its roots then, which are written down; undefined if there are
   * none. Never rejects.
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
    const ours = this.#oursOf(await this.#withRunId(systemName, runId, younger), runId);
    // A helper that it left behind is not it.
    const roots = ours.filter(({ executable }) => known.some((root) => root.executable === executable));
    if (roots.length === 0 || !isSameRoots(known, this.get(systemName))) return undefined;
    this.#set(systemName, roots);
    return roots;
  }

  /** The topmost of these processes that are of a run; of strangers, who may have read its id somewhere, none. */
  async #withRunId(systemName: string, runId: string, processes: readonly Kin[]): Promise<number[]> {
    const deadline = startDeadline(this.#parts.clock, OWNERS_MS);
    const owners = await findOwners(this.#options, this.#parts, systemName, deadline.signal);
    deadline.end();
    if (owners.kind === 'refused') return [];
    const bearers = new Map<number, number>();
    const breath = new Breath();
    const others = processes.filter(({ pid, kernelThread }) => !kernelThread && pid !== process.pid);
    for (const { pid, ppid, startTime } of await this.#table.withVariable(others, 'MONITOR_RUN_ID', runId)) {
      if (breath.isDue) await breath.take();
      if (isOwnedBy(this.#table, { pid, startTime }, owners.uids)) bearers.set(pid, ppid);
    }
    return [...bearers].flatMap(([pid, ppid]) => (bearers.has(ppid) ? [] : [pid]));
  }

  #oursOf(pids: readonly number[], runId: string): RootProcess[] {
    return pids.flatMap((pid): RootProcess[] => {
      const now = this.#table.read(pid, ['startTime', 'executable', 'uids', 'cgroup']);
      if (now === undefined) return [];
      const { startTime, executable, uids, cgroup } = now;
      const of = {
        ...(uids && { uid: uids.real }),
        ...(cgroup !== undefined && { cgroup }),
        ...(executable && { executable }),
      };
      return [{ pid, startTime, ours: true, runId, ...of }];
    });
  }

  /** Under all names that meant the same program until now: they still do. */
  #set(systemName: string, roots: readonly RootProcess[]): void {
    const { roots: kept } = this.#parts;
    const names = new Set([systemName, ...kept.get(systemName).flatMap((root) => kept.namesOf(root))]);
    for (const name of names) kept.set(name, roots);
  }
}

/** A directory of users that does not answer must not keep a start. */
const OWNERS_MS = 2000;

const KIN = ['ppid', 'kernelThread', 'startTime'] as const;
type Kin = ProcessInfo<(typeof KIN)[number]>;

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
