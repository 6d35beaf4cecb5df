import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { LoopPause } from '../../../core/loop-pause.ts';
import { ProcessLook, type SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { appUnit, MOST_COPIES } from '../../../system/systemd/unit/name.ts';
import type { StrategyParts } from '../../strategy.ts';
import { describeStrangers } from '../descriptions.ts';
import { knownBy, type Witness } from '../identity/identity.ts';
import { findTrees, type Matches } from '../identity/match.ts';
import { type Foreign, findOwners } from '../identity/owner.ts';
import type { ProcessOptions } from '../options.ts';
import type { Supervision } from '../supervision/supervision.ts';
import type { KnownRoots } from './known-roots.ts';

/** What finding a program uses. */
type FinderParts = Pick<StrategyParts, 'launches' | 'pins' | 'roots' | 'programs' | 'clock' | 'log'>;

/** Where programs are looked for, and who is shown what was found. */
interface FinderSight {
  readonly table: ProcessTable;
  readonly known: KnownRoots;
  readonly supervision: Supervision;
}

/** Finds the processes of programs, and tells the log what was not taken for them. */
export class ProgramFinder {
  readonly #options: ProcessOptions;
  readonly #parts: FinderParts;
  readonly #table: ProcessTable;
  readonly #known: KnownRoots;
  readonly #supervision: Supervision;
  /** What was told of already: users whose processes bear a name and are not the program; remarks. */
  readonly #told = new Set<string>();
  #userUid: number | undefined;

  constructor(options: ProcessOptions, parts: FinderParts, { table, known, supervision }: FinderSight) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    this.#known = known;
    this.#supervision = supervision;
  }

  /** The uid of `user`, as last looked up; undefined where that is not set. */
  get userUid(): number | undefined {
    return this.#userUid;
  }

  /** True if something of that name was found running once, or how it was started is known. */
  isKnown(systemName: string): boolean {
    return this.#known.wasSeen(systemName) || this.#parts.launches.get(systemName) !== undefined;
  }

  /** True if something of that name was found running that we did not start. */
  wasOthers(systemName: string): boolean {
    return this.#known.wasOthers(systemName);
  }

  /** False if this look can find nothing of it: then nobody need be asked more closely. */
  mayRun(systemName: string, look: ProcessLook): boolean {
    const { pidFile, argument } = this.#options;
    if (pidFile !== undefined || argument !== undefined || look.calledBy(systemName).length > 0) return true;
    return this.#known.get(systemName).some(({ isEmpty }) => isEmpty !== true);
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
    const owners = await findOwners(this.#options, this.#parts, systemName, signal);
    if (owners.kind === 'refused') return async () => owners;
    this.#userUid = owners.userUid;
    const { pidFile, argument, maxMatches } = this.#options;
    const units = this.unitsOf(systemName);
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
      };
      const first = await findTrees(this.#table, identity, seen);
      const later = await this.#known.findLost(systemName, first, knownRoots, seen);
      const found = later === undefined ? first : await findTrees(this.#table, { ...identity, knownRoots: later }, seen);
      if (found.kind === 'refused') return found;
      this.#supervision.saw(systemName, found.trees, seen.all);
      if (later === undefined) this.#known.followExec(systemName, knownRoots, found.trees);
      await this.#tell(systemName, found.strangers, found.remarks);
      await this.#known.saw(systemName, found, knownRoots);
      return found;
    };
  }

  /** Once for each user: whose process bears the name may be an administrator's doing, who changed the user of the service. */
  async #tell(systemName: string, strangers: ReadonlyMap<SeenProcess, Foreign>, remarks: readonly string[]): Promise<void> {
    const isNews = (key: string): boolean => {
      if (this.#told.has(key) || this.#told.size >= MOST_TOLD) return false;
      this.#told.add(key);
      return true;
    };
    for (const remark of remarks) {
      if (isNews(`${systemName}\0${remark}`)) this.#parts.log.warning(`${systemName}: ${remark}`, { process_name: systemName });
    }
    const pause = new LoopPause();
    for (const [stranger, why] of strangers) {
      if (pause.isDue) await pause.take();
      const { pid } = stranger;
      if (!isNews(`${systemName}\0${JSON.stringify(why)}`)) continue;
      const [line] = describeStrangers(new Map([[stranger, why]]));
      this.#parts.log.warning(`Not taken for ${systemName}: ${line}`, { process_name: systemName, process_pid: pid });
    }
  }
}

/** Of as many strangers and remarks the log tells. */
const MOST_TOLD = 1000;
