import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { Breath } from '../../../core/breath.ts';
import { FileHashes } from '../../../system/files/file-hash.ts';
import { RecordRoom } from '../../../system/launch/read-record.ts';
import type { TakeLook } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { USUAL_PATH } from '../../../system/spawn/minimal-environment.ts';
import { startDeadline } from '../../deadline.ts';
import type { LaunchesNow, StrategyParts } from '../../strategy.ts';
import { ambiguityOf } from '../descriptions.ts';
import type { ProgramFinder } from '../identity/finder.ts';
import type { ProcessTree } from '../identity/identity.ts';
import type { ProcessOptions } from '../options.ts';
import { rememberCopies, wholeLaunch } from './copies.ts';
import { isCommandUnderWay, isFromCommand, isLife } from './from-command.ts';
import {
  isCaged,
  type LaunchSight,
  livingLaunch,
  type RecalledLaunch,
  type RecordedName,
  recallLaunch,
  rememberLaunch,
} from './memory.ts';
import { LaunchNotes } from './notes.ts';
import { differencesOf, launchesOf } from './now.ts';
import { checkPin, type TakeHash } from './pinned.ts';
import { planStart, type StartPlan } from './plan.ts';
import { pinCure } from './words.ts';

/** What knowing how programs are started uses. */
export type LaunchParts = Pick<StrategyParts, 'launches' | 'pins' | 'requirePin' | 'roots' | 'programs' | 'clock' | 'log'>;

/** How programs are started: as an operator said or pinned it, else as they were when they were last seen. */
export class ProgramLaunches {
  readonly #options: ProcessOptions;
  readonly #parts: LaunchParts;
  readonly #table: ProcessTable;
  readonly #finder: ProgramFinder;
  readonly #notes: LaunchNotes;
  /** Of pinned files, for looks. */
  readonly #hashes = new FileHashes();
  /** Names of which was told that they run otherwise than recorded. */
  readonly #told = new Set<string>();

  constructor(options: ProcessOptions, parts: LaunchParts, table: ProcessTable, finder: ProgramFinder) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    this.#finder = finder;
    this.#notes = new LaunchNotes(parts.launches);
  }

  /** True if how it is started needs no look at what runs: a record, a pin or start_command says it. */
  isRecorded(systemName: string): boolean {
    const { launches, pins } = this.#parts;
    return this.#options.startCommand !== undefined || (pins.get(systemName) ?? launches.get(systemName)) !== undefined;
  }

  /** What a restart would start in place of `trees`. `take`: how the hash of a pinned file is had. */
  async plan(managed: ManagedProcess, attempt: number, trees: readonly ProcessTree[], take?: TakeHash): Promise<StartPlan> {
    const { systemName } = managed;
    const { launches } = this.#parts;
    const pin = this.#options.startCommand === undefined ? this.#parts.pins.get(systemName) : undefined;
    const stored = launches.get(systemName);
    const isUnknown = stored === undefined && launches.note(systemName).unusable === undefined;
    const running: RecalledLaunch[] = [];
    const sight = this.#sight();
    let isRunning = false;
    const breath = new Breath();
    // A pin or start_command is what is started whatever runs.
    const isSaid = pin !== undefined || this.#options.startCommand !== undefined;
    for (const [index, tree] of (isSaid ? [] : trees).entries()) {
      if (breath.isDue) await breath.take();
      // A leftover does not tell how its program was started; the first one's record stands for it.
      if (tree.orphaned && index > 0) continue;
      const recalled = await recallLaunch(sight, running.length === 0 ? stored : undefined, tree, this.#recorded(managed));
      // Started from PATH by ourselves: that is how it is started, whatever it has made of itself.
      if (recalled.kind === 'known' || !isUnknown || !(await this.#isOurCommands(tree))) {
        running.push(recalled);
        isRunning ||= !tree.orphaned;
      }
    }
    const whole = wholeLaunch(running, stored, launches.further(systemName).slice(0, this.#options.maxMatches - 1));
    if (whole.lacking !== undefined) this.#notes.unusable(systemName, whole.lacking);
    return planStart(this.#options, managed, attempt, whole, process.env.PATH ?? USUAL_PATH, {
      pin: pin && (await checkPin(pin, take)),
      requirePin: this.#parts.requirePin,
      userUid: this.#finder.userUid,
      copies: this.#notes.copiesOf(systemName, trees, this.#options.maxMatches),
      isRunning,
      unusable: launches.note(systemName).unusable,
      wasSeen: this.#finder.wasOthers(systemName),
    });
  }

  /** Keeps how what runs was started. `isAllNew`: nobody of it was known before. */
  async remember(managed: ManagedProcess, trees: readonly ProcessTree[], isAllNew: boolean): Promise<void> {
    const [oldest, ...further] = trees;
    const { launches } = this.#parts;
    if (oldest === undefined) return;
    const { systemName } = managed;
    if (this.#options.startCommand !== undefined) {
      this.#notes.byStartCommand(systemName);
      this.#notes.copies(systemName, trees, isAllNew);
      await this.#noteCage(systemName, oldest);
      return;
    }
    // A leftover does not tell what has become usable.
    if (oldest.orphaned && launches.note(systemName).unusable !== undefined) return;
    const name = this.#recorded(managed);
    const sight = this.#sight();
    const isFrom = await isFromCommand(this.#table, oldest.root);
    if (isFrom === 'unread') return;
    if (isFrom) {
      await this.#noteCage(systemName, oldest);
      // From PATH, but for start_command, which leaves a note.
      if (launches.get(systemName) !== undefined || oldest.by === 'start') return;
      const recalled = await livingLaunch(sight, oldest);
      if (!(await this.#isOurCheck(oldest, recalled))) this.#notes.byCommand(systemName, recalled);
      return;
    }
    const recalled = await rememberLaunch(sight, launches, oldest, name);
    if (recalled.kind === 'known' && recalled.otherwise !== undefined) this.#tellOtherwise(managed, oldest, recalled.otherwise);
    const copy = this.#options.maxMatches > 1 ? await rememberCopies(sight, launches, name, further, isAllNew) : undefined;
    this.#notes.unusable(systemName, recalled.kind === 'unknown' ? recalled : copy);
  }

  /** For what a command has started an earlier record goes on to count, but not where that would let it out of a cage. */
  async #noteCage(systemName: string, oldest: ProcessTree): Promise<void> {
    if (this.#parts.launches.get(systemName) === undefined || oldest.orphaned) return;
    if (!(await isLife(this.#table, oldest, this.#options.commandTimeoutMs))) return;
    const living = await livingLaunch(this.#sight(), oldest);
    if (living.kind === 'known') this.#notes.unusable(systemName, undefined);
    else if (isCaged(living)) this.#notes.unusable(systemName, living);
  }

  /** Keeps what is known of one that was just started. */
  started({ systemName }: ManagedProcess): void {
    if (this.#options.startCommand !== undefined) this.#notes.byStartCommand(systemName);
  }

  /** RestartStrategy.concern; may throw. */
  async concern(managed: ManagedProcess, look?: TakeLook): Promise<string | undefined> {
    if (this.#options.startCommand !== undefined) return undefined;
    const { systemName } = managed;
    const { launches, pins } = this.#parts;
    const isUnusable = pins.get(systemName) === undefined && launches.note(systemName).unusable !== undefined;
    let trees: readonly ProcessTree[] = [];
    if (isUnusable || !this.isRecorded(systemName)) {
      const seen = await look?.();
      if (seen === undefined || this.#finder.mayRun(systemName, seen)) {
        const deadline = startDeadline(this.#parts.clock, FIND_MS);
        const found = await (await this.#finder.finder(managed, deadline.signal))(seen).finally(() => deadline.end());
        // Nothing that runs may be restarted.
        if (found.kind === 'refused' || ambiguityOf(found, this.#options) !== undefined) return undefined;
        trees = found.trees;
      }
    }
    const plan = await this.plan(managed, 1, trees, (path) => this.#hashes.of(path));
    return plan.kind === 'refused' && plan.unseen !== true ? plan.reason : undefined;
  }

  /** RestartStrategy.launchesNow of a program whose name can be looked for. */
  async now(managed: ManagedProcess, signal: AbortSignal): Promise<LaunchesNow> {
    if (this.#options.startCommand !== undefined)
      return { kind: 'refused', reason: 'start_command says how it is started, which needs no pin' };
    const found = await (await this.#finder.finder(managed, signal))();
    if (found.kind === 'refused') return found;
    const ambiguity = ambiguityOf(found, this.#options);
    if (ambiguity !== undefined) return { kind: 'refused', reason: ambiguity };
    const { launches } = this.#parts;
    return launchesOf(this.#sight(), found.trees, launches.get(managed.systemName), launches.note(managed.systemName).unusable);
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

  /** A shell line of ours that we know to have started: from PATH, but for start_command, which leaves a note. */
  async #isOurCommands({ by, root }: ProcessTree): Promise<boolean> {
    return by === 'start' && (await isFromCommand(this.#table, root)) !== false;
  }

  /** A command that is under way, as a health check `nginx -t` is, is no life of the program; as somebody else it would be told of. */
  async #isOurCheck({ root }: ProcessTree, recalled: RecalledLaunch): Promise<boolean> {
    if (!(await isCommandUnderWay(this.#table, root, this.#options.commandTimeoutMs))) return false;
    if (recalled.kind === 'unknown') return recalled.passing === true;
    return recalled.record.uid === (this.#finder.userUid ?? process.geteuid?.());
  }

  /** Once for each name: what was recorded is what would be started, in place of what runs. */
  #tellOtherwise({ processName, systemName }: ManagedProcess, { root: { pid } }: ProcessTree, otherwise: string): void {
    if (this.#parts.pins.get(systemName) !== undefined || this.#told.has(systemName) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(systemName);
    this.#parts.log.warning(`${processName}: pid ${pid}: ${otherwise}: ${pinCure(processName)}`, {
      process_name: processName,
      process_pid: pid,
    });
  }
}

/** Of as many names the log tells. */
const MOST_TOLD = 1000;
/** A look in passing waits no longer for a directory of users. */
const FIND_MS = 2000;
