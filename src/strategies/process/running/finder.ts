// Finds the processes of a program.
import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { LoopPause } from '../../../core/loop-pause.ts';
import { ProcessLook, type SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { appUnit, MOST_COPIES } from '../../../system/systemd/unit/name.ts';
import type { StrategyParts } from '../../strategy.ts';
import { describeForeignProcesses } from '../descriptions.ts';
import { othersTest } from '../identity/candidates.ts';
import { knownBy, type Witness } from '../identity/identity.ts';
import { findTrees, type Matches } from '../identity/match.ts';
import { type Foreign, findOwners } from '../identity/owner.ts';
import type { ProcessOptions } from '../options.ts';
import type { Supervision } from '../supervision/supervision.ts';
import type { KnownRoots } from './known-roots.ts';

/** What finding a program needs of the strategies' parts. */
type FinderParts = Pick<StrategyParts, 'launches' | 'pins' | 'roots' | 'programs' | 'twins' | 'clock' | 'log'>;

/** Where to look for programs, and what learns of the results. */
interface FinderContext {
  readonly table: ProcessTable;
  readonly known: KnownRoots;
  readonly supervision: Supervision;
}

/** Finds the processes of programs, and logs what was not taken for them. */
export class ProgramFinder {
  readonly #options: ProcessOptions;
  readonly #parts: FinderParts;
  readonly #table: ProcessTable;
  readonly #known: KnownRoots;
  readonly #supervision: Supervision;
  /** What was logged already: users whose processes have a name and are not the program; remarks. */
  readonly #logged = new Set<string>();
  #userUid: number | undefined;

  constructor(options: ProcessOptions, parts: FinderParts, { table, known, supervision }: FinderContext) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    this.#known = known;
    this.#supervision = supervision;
  }

  /** The uid of `user`, as last looked up; undefined if that is not set. */
  get userUid(): number | undefined {
    return this.#userUid;
  }

  /** True if something of that name was found running once, or if it is known how it was started. */
  isKnown(systemName: string): boolean {
    return this.#known.wasSeen(systemName) || this.#parts.launches.get(systemName) !== undefined;
  }

  /** True if something of that name was found running that we did not start. */
  wasOthers(systemName: string): boolean {
    return this.#known.wasOthers(systemName);
  }

  /** False if this look can find nothing of it: then no closer search is needed. */
  mayRun(systemName: string, look: ProcessLook): boolean {
    const { pidFile, argument } = this.#options;
    if (pidFile !== undefined || argument !== undefined || look.calledBy(systemName).length > 0) return true;
    return this.#known.get(systemName).some(({ isEmpty }) => isEmpty !== true);
  }

  /** The units in which we start its copies; [] if nothing is started in units. */
  unitsOf(systemName: string): string[] {
    if (this.#parts.programs.starter !== 1) return [];
    const copies = Math.min(this.#options.maxMatches, MOST_COPIES);
    return Array.from({ length: copies }, (_, index) => appUnit(systemName, index + 1));
  }

  /** Returns a function that finds what runs of the program. Its possible owners are looked up once. */
  async finder(managed: ManagedProcess, signal: AbortSignal): Promise<(look?: ProcessLook) => Promise<Matches>> {
    const { systemName } = managed;
    const owners = await findOwners(this.#options, this.#parts, systemName, signal);
    if (owners.kind === 'refused') return async () => owners;
    this.#userUid = owners.userUid;
    const { pidFile, argument, maxMatches } = this.#options;
    const units = this.unitsOf(systemName);
    const pidFilesBeside = pidFile === undefined ? [] : (this.#parts.twins?.pidFilesBeside(pidFile) ?? []);
    const unitOf = (pid: number): string | undefined => {
      const unit = this.#table.read(pid, ['unit'])?.unit;
      return unit !== undefined && units.includes(unit) ? unit : undefined;
    };
    return async (look) => {
      const seen = look ?? (await ProcessLook.take(this.#table));
      const knownRoots = this.#known.get(systemName);
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
        knownBy: (witness: Witness) => knownBy(witness, managed, this.#options),
        nowMs,
        isOthers: othersTest(this.#table, { process: managed, owners, pidFile, nowMs }, pidFilesBeside, seen.all),
      };
      const first = await findTrees(this.#table, identity, seen);
      const later = await this.#known.findLost(systemName, first, knownRoots, seen);
      const found = later === undefined ? first : await findTrees(this.#table, { ...identity, knownRoots: later }, seen);
      if (found.kind === 'refused') return found;
      this.#supervision.saw(systemName, found.trees, seen.all);
      if (later === undefined) this.#known.followExec(systemName, knownRoots, found.trees);
      await this.#report(systemName, found.foreign, found.remarks);
      await this.#known.saw(systemName, found, knownRoots);
      return found;
    };
  }

  /** Once for each user: a process of another user may be an administrator's doing, who changed the user of the service. */
  async #report(systemName: string, foreign: ReadonlyMap<SeenProcess, Foreign>, remarks: readonly string[]): Promise<void> {
    const isNew = (key: string): boolean => {
      if (this.#logged.has(key) || this.#logged.size >= MOST_LOGGED) return false;
      this.#logged.add(key);
      return true;
    };
    for (const remark of remarks) {
      if (isNew(`${systemName}\0${remark}`)) this.#parts.log.warning(`${systemName}: ${remark}`, { process_name: systemName });
    }
    const pause = new LoopPause();
    for (const [process, why] of foreign) {
      if (pause.isDue) await pause.take();
      const { pid } = process;
      if (!isNew(`${systemName}\0${JSON.stringify(why)}`)) continue;
      const [line] = describeForeignProcesses(new Map([[process, why]]));
      this.#parts.log.warning(`Not taken for ${systemName}: ${line}`, { process_name: systemName, process_pid: pid });
    }
  }
}

/** How many foreign processes and remarks are logged at most. */
const MOST_LOGGED = 1000;
