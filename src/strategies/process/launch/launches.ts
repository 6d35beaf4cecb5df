import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { Breath } from '../../../core/breath.ts';
import { FileHashes } from '../../../system/files/file-hash.ts';
import { RecordRoom } from '../../../system/launch/read-record.ts';
import type { TakeLook } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { USUAL_PATH } from '../../../system/spawn/minimal-environment.ts';
import type { LaunchesNow, StrategyParts } from '../../strategy.ts';
import { ambiguityOf } from '../descriptions.ts';
import type { ProgramFinder } from '../identity/finder.ts';
import type { ProcessTree } from '../identity/identity.ts';
import type { ProcessOptions } from '../options.ts';
import {
  type LaunchSight,
  mayBeFromCommand,
  missingCopies,
  type RecalledLaunch,
  type RecordedName,
  recallLaunch,
  rememberCopies,
  rememberLaunch,
} from './memory.ts';
import { differencesOf, launchesOf } from './now.ts';
import { checkPin, type TakeHash } from './pinned.ts';
import { planStart, type StartPlan } from './plan.ts';
import { pinCure } from './words.ts';

/** What knowing how programs are started uses. */
export type LaunchParts = Pick<StrategyParts, 'launches' | 'pins' | 'requirePin' | 'roots' | 'programs' | 'log'>;

/** How programs are started: as an operator said or pinned it, else as they were when they were last seen. */
export class ProgramLaunches {
  readonly #options: ProcessOptions;
  readonly #parts: LaunchParts;
  readonly #table: ProcessTable;
  readonly #finder: ProgramFinder;
  /** Of pinned files, for looks. */
  readonly #hashes = new FileHashes();
  /** Names of which was told that they run otherwise than recorded. */
  readonly #told = new Set<string>();

  constructor(options: ProcessOptions, parts: LaunchParts, table: ProcessTable, finder: ProgramFinder) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    this.#finder = finder;
  }

  /** True if how it is started needs no look at what runs: a record, a pin or start_command says it. */
  isRecorded(systemName: string): boolean {
    const { launches, pins } = this.#parts;
    return this.#options.startCommand !== undefined || (pins.get(systemName) ?? launches.get(systemName)) !== undefined;
  }

  /** What a restart would start in place of `trees`. `take`: how the hash of a pinned file is had. */
  async plan(managed: ManagedProcess, attempt: number, trees: readonly ProcessTree[], take?: TakeHash): Promise<StartPlan> {
    const { systemName } = managed;
    const pin = this.#options.startCommand === undefined ? this.#parts.pins.get(systemName) : undefined;
    const rule = {
      pin: pin && (await checkPin(pin, take)),
      requirePin: this.#parts.requirePin,
      userUid: this.#finder.userUid,
      wasSeen: this.#finder.isKnown(systemName) || this.#parts.roots.get(systemName).length > 0,
    };
    const stored = this.#parts.launches.get(systemName);
    const running: RecalledLaunch[] = [];
    const sight = this.#sight();
    const breath = new Breath();
    // A pin or start_command is what is started whatever runs.
    const isSaid = pin !== undefined || this.#options.startCommand !== undefined;
    for (const [index, tree] of (isSaid ? [] : trees).entries()) {
      if (breath.isDue) await breath.take();
      // A leftover does not tell how its program was started; the first one's record stands for it.
      if (tree.orphaned && index > 0) continue;
      running.push(await recallLaunch(sight, running.length === 0 ? stored : undefined, tree, this.#recorded(managed)));
    }
    const copies = this.#parts.launches.further(systemName).slice(0, this.#options.maxMatches - 1);
    const missing = copies.length === 0 ? [] : missingCopies(running, stored, copies);
    const path = process.env.PATH ?? USUAL_PATH;
    return planStart(this.#options, managed, attempt, [...running, ...missing], stored, path, rule);
  }

  /** Keeps how what runs was started. `isAllNew`: nobody of it was known before. */
  async remember(managed: ManagedProcess, trees: readonly ProcessTree[], isAllNew: boolean): Promise<void> {
    const [oldest, ...further] = trees;
    const { launches } = this.#parts;
    if (oldest === undefined || this.#options.startCommand !== undefined) return;
    if (await mayBeFromCommand(this.#table, oldest.root)) return;
    const sight = this.#sight();
    const recalled = await rememberLaunch(sight, launches, oldest, this.#recorded(managed));
    if (recalled.kind === 'known' && recalled.otherwise !== undefined) this.#tellOtherwise(managed, oldest, recalled.otherwise);
    if (this.#options.maxMatches > 1) await rememberCopies(sight, launches, this.#recorded(managed), further, isAllNew);
  }

  /** RestartStrategy.concern; may throw. */
  async concern(managed: ManagedProcess, look?: TakeLook): Promise<string | undefined> {
    if (this.#options.startCommand !== undefined) return undefined;
    let trees: readonly ProcessTree[] = [];
    if (!this.isRecorded(managed.systemName)) {
      const seen = await look?.();
      if (seen !== undefined && !this.#finder.mayRun(managed.systemName, seen)) return undefined;
      const found = await (await this.#finder.finder(managed, AbortSignal.timeout(FIND_MS)))(seen);
      // Nothing that runs may be restarted, or nothing does.
      if (found.kind === 'refused' || found.trees.length === 0 || ambiguityOf(found, this.#options) !== undefined)
        return undefined;
      trees = found.trees;
    }
    const plan = await this.plan(managed, 1, trees, (path) => this.#hashes.of(path));
    return plan.kind === 'refused' ? plan.reason : undefined;
  }

  /** RestartStrategy.launchesNow of a program whose name can be looked for. */
  async now(managed: ManagedProcess, signal: AbortSignal): Promise<LaunchesNow> {
    if (this.#options.startCommand !== undefined)
      return { kind: 'refused', reason: 'start_command says how it is started, which needs no pin' };
    const found = await (await this.#finder.finder(managed, signal))();
    if (found.kind === 'refused') return found;
    const ambiguity = ambiguityOf(found, this.#options);
    if (ambiguity !== undefined) return { kind: 'refused', reason: ambiguity };
    return launchesOf(this.#sight(), found.trees, this.#parts.launches.get(managed.systemName));
  }

  /** Where what runs is not what would be started, a line each. */
  async differences(managed: ManagedProcess, trees: readonly ProcessTree[]): Promise<string[]> {
    if (this.#options.startCommand !== undefined) return [];
    const { launches, pins } = this.#parts;
    const { systemName, processName } = managed;
    const known = { pin: pins.get(systemName), stored: launches.get(systemName), name: this.#recorded(managed) };
    return differencesOf(this.#sight(), trees, known, pinCure(processName));
  }

  /** For one round of the program's copies. */
  #sight(): LaunchSight {
    return { table: this.#table, starter: this.#parts.programs.starter, room: new RecordRoom() };
  }

  #recorded({ systemName }: ManagedProcess): RecordedName {
    return { systemName, userUid: this.#finder.userUid };
  }

  /** Once for each name: what was recorded is what would be started, in place of what runs. */
  #tellOtherwise({ processName, systemName }: ManagedProcess, { root: { pid } }: ProcessTree, otherwise: string): void {
    if (this.#parts.pins.get(systemName) !== undefined || this.#told.has(systemName) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(systemName);
    this.#parts.log.warning(`${processName}: pid ${pid}: ${otherwise}: ${pinCure(processName)}`, {
      process_name: processName,
      pid,
    });
  }
}

/** Of as many names the log tells. */
const MOST_TOLD = 1000;
/** A look in passing waits no longer for a directory of users. */
const FIND_MS = 2000;
