import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { Breath } from '../../../core/breath.ts';
import type { RootProcess } from '../../../core/program-roots.ts';
import type { ProcessLook, SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { appUnit, MOST_COPIES } from '../../../system/systemd/unit-name.ts';
import type { StrategyParts } from '../../strategy.ts';
import { unitOfMain } from '../../unit/of-main.ts';
import { isCommandUnderWay } from '../launch/from-command.ts';
import type { ProcessOptions } from '../options.ts';
import { describeStrangers } from '../preview.ts';
import type { Supervision } from '../supervision/supervision.ts';
import type { ProcessTree } from './identity.ts';
import { findTrees, type Matches } from './match.ts';
import { findOwners, isOwnedBy, type Owners } from './owner.ts';

/** What finding a program uses. */
export type FinderParts = Pick<StrategyParts, 'launches' | 'pins' | 'roots' | 'programs' | 'services' | 'clock' | 'log'>;

/** Finds the processes of programs, and remembers by what it will know them when they have ended, or the daemon has. */
export class ProgramFinder {
  readonly #options: ProcessOptions;
  readonly #parts: FinderParts;
  readonly #table: ProcessTable;
  readonly #supervision: Supervision;
  /** What was told of already: users whose processes bear a name and are not the program; remarks. */
  readonly #told = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #seenOfOthers = new Set<string>();
  #userUid: number | undefined;

  constructor(options: ProcessOptions, parts: FinderParts, table: ProcessTable, supervision: Supervision) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    this.#supervision = supervision;
  }

  /** The uid of `user`, as last looked up; undefined where that is not set. */
  get userUid(): number | undefined {
    return this.#userUid;
  }

  /** True if something of that name was found running once, or how it was started is known. */
  isKnown(systemName: string): boolean {
    return this.#seen.has(systemName) || this.#parts.launches.get(systemName) !== undefined;
  }

  /** True if something of that name was found running that we did not start. */
  wasSeen(systemName: string): boolean {
    return this.#seenOfOthers.has(systemName) || this.#parts.roots.get(systemName).some(({ ours }) => ours !== true);
  }

  /** False if this look can find nothing of it: then nobody need be asked more closely. */
  mayRun(systemName: string, look: ProcessLook): boolean {
    const { pidFile, argument } = this.#options;
    if (pidFile !== undefined || argument !== undefined || look.calledBy(systemName).length > 0) return true;
    return this.#parts.roots.get(systemName).some(({ isEmpty }) => isEmpty !== true);
  }

  /** The units that its copies get when we start them; [] where nothing is started in units. */
  unitsOf(systemName: string): string[] {
    if (this.#parts.programs.starter !== 1) return [];
    const copies = Math.min(this.#options.maxMatches, MOST_COPIES);
    return Array.from({ length: copies }, (_, index) => appUnit(systemName, index + 1));
  }

  /** How to look at what runs of the program; whose processes may be it is asked once. */
  async finder(managed: ManagedProcess, signal: AbortSignal): Promise<(look?: ProcessLook) => Promise<Matches>> {
    const { systemName } = managed;
    const owners = await this.#ownersOf(systemName, signal);
    if (owners.kind === 'refused') return async () => owners;
    this.#userUid = owners.userUid;
    const { pidFile, argument, maxMatches } = this.#options;
    const units = this.unitsOf(systemName);
    const unitOf = (pid: number): string | undefined => {
      const unit = this.#table.read(pid, ['unit'])?.unit;
      return unit !== undefined && units.includes(unit) ? unit : undefined;
    };
    return async (look) => {
      const knownRoots = this.#parts.roots.get(systemName);
      const nowMs = this.#parts.clock.date().getTime();
      const identity = {
        process: managed,
        ownPid: process.pid,
        owners,
        knownRoots,
        pidFile,
        argument,
        maxMatches,
        units,
        unitOf,
        nowMs,
      };
      const first = await findTrees(this.#table, identity, look);
      const later = await this.#afterLosing(systemName, first, knownRoots);
      const found = later === undefined ? first : await findTrees(this.#table, { ...identity, knownRoots: later });
      if (found.kind === 'refused') return found;
      this.#supervision.saw(systemName, found.trees);
      await this.#tell(systemName, found.strangers, found.remarks);
      const isOthers = (tree: ProcessTree): boolean => tree.by !== 'start' && this.#isLife(tree);
      if (!this.#seenOfOthers.has(systemName) && found.trees.some(isOthers)) this.#seenOfOthers.add(systemName);
      if (found.trees.length > 0) this.#seen.add(systemName);
      else if (found.rest.length === 0) this.#markEmpty(systemName, knownRoots);
      return found;
    };
  }

  /** Writes down what the program is known by from now on. `trees`: what was found of it, oldest first. Never rejects. */
  async record({ systemName }: ManagedProcess, trees: readonly ProcessTree[], signal: AbortSignal): Promise<void> {
    const known = this.#parts.roots.get(systemName);
    const withKeepers = (root: RootProcess): RootProcess => this.#supervision.withKeepers(systemName, root);
    const roots: RootProcess[] = [];
    for (const tree of trees) {
      if (!this.#isLife(tree)) continue;
      const { pid, startTime, pgid, sid, executable } = tree.root;
      const same = known.find((root) => root.pid === pid && root.startTime === startTime);
      // It may have executed something else since it was started.
      if (same !== undefined) roots.push(withKeepers({ ...same, ...(executable && { executable }) }));
      // As long as what it left behind runs, the one that is gone is what that is known by.
      else if (tree.orphaned) roots.push(...known.filter((root) => root.pid === pgid || root.pid === sid));
      else {
        const main = await unitOfMain(this.#table, this.#parts.services, tree, process.pid, signal);
        // Not written down before that is known: the next look asks again.
        if (main.kind === 'unknown') return;
        const unit = main.kind === 'unit' ? main.unit : undefined;
        const ours = tree.by === 'start' ? ({ ours: true } as const) : {};
        const session = sessionOfOwn(this.#table, tree);
        const root = {
          pid,
          startTime,
          ...ours,
          ...(session && { session }),
          ...uidOf(this.#table, tree.root),
          ...(executable && { executable }),
          ...(unit && { unit }),
        };
        roots.push(withKeepers(root));
      }
    }
    // A start may have come in between: what that wrote down is newer.
    if (roots.length > 0 && isSameRoots(known, this.#parts.roots.get(systemName))) this.#set(systemName, roots);
  }

  /** We have started it: `pids` of its copies where they are known; else what bears the run's id is looked for. Never rejects. */
  async started({ systemName }: ManagedProcess, pids: readonly (number | undefined)[], runId: string): Promise<void> {
    const known = pids.filter((pid) => pid !== undefined);
    // What left for the background in a unit of ours is found in that.
    const isInUnit = this.#parts.programs.starter === 1;
    const all = known.length < pids.length && !isInUnit ? await this.#withRunId(systemName, runId) : known;
    const roots = this.#oursOf(all, runId);
    this.#set(systemName, roots);
    this.#seen.add(systemName);
  }

  /** The topmost processes of a run; of strangers, who may have read its id somewhere, none. */
  async #withRunId(systemName: string, runId: string): Promise<number[]> {
    const owners = await this.#ownersOf(systemName, AbortSignal.timeout(OWNERS_MS));
    if (owners.kind === 'refused') return [];
    const bearers = new Map<number, number>();
    const breath = new Breath();
    const all = (await this.#table.survey(['ppid', 'kernelThread', 'startTime'])).filter(
      ({ pid, kernelThread }) => !kernelThread && pid !== process.pid,
    );
    for (const { pid, ppid, startTime } of await this.#table.withVariable(all, 'MONITOR_RUN_ID', runId)) {
      if (breath.isDue) await breath.take();
      if (isOwnedBy(this.#table, { pid, startTime }, owners.uids)) bearers.set(pid, ppid);
    }
    return [...bearers].flatMap(([pid, ppid]) => (bearers.has(ppid) ? [] : [pid]));
  }

  /**
   * What we started directly may have left for the background late, by a process of another session: looked for once, by its run's id,
   * when what we knew of it has gone. Its roots then; undefined if there are none.
   */
  async #afterLosing(
    systemName: string,
    found: Matches,
    known: readonly RootProcess[],
  ): Promise<readonly RootProcess[] | undefined> {
    if (this.#parts.programs.starter === 1 || found.kind === 'refused' || found.trees.length > 0) return undefined;
    const runId = known.find((root) => root.ours && root.isEmpty !== true && root.runId !== undefined)?.runId;
    if (runId === undefined) return undefined;
    const all = this.#oursOf(await this.#withRunId(systemName, runId), runId);
    // A helper that it left behind is not it.
    const roots = all.filter(({ executable }) => known.some((root) => root.executable === executable));
    if (roots.length === 0 || !isSameRoots(known, this.#parts.roots.get(systemName))) return undefined;
    this.#set(systemName, roots);
    return roots;
  }

  #oursOf(pids: readonly number[], runId: string): RootProcess[] {
    return pids.flatMap((pid): RootProcess[] => {
      const now = this.#table.read(pid, ['startTime', 'executable']);
      if (now === undefined) return [];
      const { startTime, executable } = now;
      const uid = uidOf(this.#table, { pid });
      return [{ pid, startTime, ours: true, runId, ...uid, ...(executable && { executable }) }];
    });
  }

  #ownersOf(systemName: string, signal: AbortSignal): Promise<Owners> {
    const { launches, pins, roots } = this.#parts;
    const recorded = pins.get(systemName)?.launches[0]?.record ?? launches.get(systemName);
    // What start_command starts has no record, and is somebody's all the same.
    const seen = roots.get(systemName).find(({ uid }) => uid !== undefined);
    return findOwners(this.#options, recorded?.uid ?? seen?.uid, signal);
  }

  /** False for a command of ours that only bears the name. */
  #isLife({ by, root }: ProcessTree): boolean {
    return by === 'start' || !isCommandUnderWay(this.#table, root, this.#options.commandTimeoutMs);
  }

  #markEmpty(systemName: string, known: readonly RootProcess[]): void {
    const isGone = (root: RootProcess): boolean => root.isEmpty !== true && !this.#table.exists(root);
    // A start may have come in between: what that wrote down was not looked for.
    if (!known.some(isGone) || !isSameRoots(known, this.#parts.roots.get(systemName))) return;
    this.#parts.roots.set(
      systemName,
      known.map((root) => (isGone(root) ? { ...root, isEmpty: true } : root)),
    );
  }

  /** Under all names that meant the same program until now: they still do. */
  #set(systemName: string, roots: readonly RootProcess[]): void {
    const { roots: kept } = this.#parts;
    const names = new Set([systemName, ...kept.get(systemName).flatMap((root) => kept.namesOf(root))]);
    for (const name of names) kept.set(name, roots);
  }

  /** Once for each user: whose process bears the name may be an administrator's doing, who changed the user of the service. */
  async #tell(systemName: string, strangers: readonly SeenProcess[], remarks: readonly string[]): Promise<void> {
    const isNews = (key: string): boolean => {
      if (this.#told.has(key) || this.#told.size >= MOST_TOLD) return false;
      this.#told.add(key);
      return true;
    };
    for (const remark of remarks) {
      if (isNews(`${systemName}\0${remark}`)) this.#parts.log.warning(`${systemName}: ${remark}`, { process_name: systemName });
    }
    const breath = new Breath();
    for (const stranger of strangers) {
      if (breath.isDue) await breath.take();
      const { pid } = stranger;
      if (!isNews(`${systemName}\0${this.#table.read(pid, ['uids'])?.uids?.effective}`)) continue;
      const [line] = describeStrangers(this.#table, [stranger]);
      this.#parts.log.warning(`Not taken for ${systemName}: ${line}`, { process_name: systemName, pid });
    }
  }
}

/** Of as many strangers and remarks the log tells. */
const MOST_TOLD = 1000;
/** A directory of users that does not answer must not keep a start. */
const OWNERS_MS = 2000;

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

/** The session of a program that a parent which has ended has put into the background: daemon(7) leaves it without a leader. */
function sessionOfOwn(table: ProcessTable, { root: { pid, pgid, sid } }: ProcessTree): number | undefined {
  return sid !== pid && sid === pgid && sid > 1 && !table.isRunning(sid) ? sid : undefined;
}
