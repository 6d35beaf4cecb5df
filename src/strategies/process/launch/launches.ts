// Knows how programs are started: from configuration, pins and records.
import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { withDeadline } from '../../../core/deadline.ts';
import { LoopPause } from '../../../core/loop-pause.ts';
import { FileHashes } from '../../../system/files/file-hash.ts';
import { RecordRoom } from '../../../system/launch/read-record.ts';
import type { TakeLook } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { USUAL_PATH } from '../../../system/spawn/minimal-environment.ts';
import type { LaunchesNow, StrategyParts } from '../../strategy.ts';
import { ambiguityOf } from '../descriptions.ts';
import type { ProcessTree } from '../identity/identity.ts';
import type { Matches } from '../identity/match.ts';
import { pinAdvice } from '../launch-words.ts';
import type { ProcessOptions } from '../options.ts';
import type { ProgramFinder } from '../running/finder.ts';
import { isCommandUnderWay, isFromCommand, isLife } from '../running/from-command.ts';
import { rememberCopies, wholeLaunch } from './copies.ts';
import {
  isSurelyConfined,
  type LaunchContext,
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

/** What knowing how programs are started needs. */
type LaunchParts = Pick<StrategyParts, 'launches' | 'pins' | 'requirePin' | 'roots' | 'programs' | 'clock' | 'log'>;

/** What runs of a program, and what has its name and is not taken for it. */
type Found = Pick<Matches & { readonly kind: 'found' }, 'trees' | 'foreign'>;

/** How programs are started: as an operator has set or pinned it, else as they were when last seen. */
export class ProgramLaunches {
  readonly #options: ProcessOptions;
  readonly #parts: LaunchParts;
  readonly #table: ProcessTable;
  readonly #finder: ProgramFinder;
  readonly #notes: LaunchNotes;
  /** Hashes of pinned files, for looks. */
  readonly #hashes = new FileHashes();
  /** Names for which it was logged that they run differently than recorded. */
  readonly #logged = new Set<string>();

  constructor(options: ProcessOptions, parts: LaunchParts, table: ProcessTable, finder: ProgramFinder) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    this.#finder = finder;
    this.#notes = new LaunchNotes(parts.launches);
  }

  /** True if it is known how to start it without a look at what runs: from a record, a pin or start_command. */
  isRecorded(systemName: string): boolean {
    const { launches, pins } = this.#parts;
    return this.#options.startCommand !== undefined || (pins.get(systemName) ?? launches.get(systemName)) !== undefined;
  }

  /** What a restart would start in place of the trees that were found. `take`: how to get the hash of a pinned file. */
  async plan(managed: ManagedProcess, attempt: number, { trees, foreign }: Found, take?: TakeHash): Promise<StartPlan> {
    const { systemName } = managed;
    const { launches } = this.#parts;
    const pin = this.#options.startCommand === undefined ? this.#parts.pins.get(systemName) : undefined;
    const stored = launches.get(systemName);
    const isUnknown = stored === undefined && launches.note(systemName).unusable === undefined;
    const running: RecalledLaunch[] = [];
    const context = this.#program();
    let isRunning = false;
    const pause = new LoopPause();
    // A pin or start_command is what is started, whatever runs.
    const isConfigured = pin !== undefined || this.#options.startCommand !== undefined;
    for (const [index, tree] of (isConfigured ? [] : trees).entries()) {
      if (pause.isDue) await pause.take();
      // A leftover does not show how its program was started; the first one's record stands for it.
      if (tree.orphaned && index > 0) continue;
      const recalled = await recallLaunch(context, running.length === 0 ? stored : undefined, tree, this.#recorded(managed));
      // We started it from PATH: that is how it is started, whatever it has become.
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
      foreign,
    });
  }

  /** Records how what runs was started. `isAllNew`: none of it was known before. */
  async remember(managed: ManagedProcess, trees: readonly ProcessTree[], isAllNew: boolean): Promise<void> {
    const [oldest, ...further] = trees;
    const { launches } = this.#parts;
    if (oldest === undefined) return;
    const { systemName } = managed;
    if (this.#options.startCommand !== undefined) {
      this.#notes.byStartCommand(systemName);
      this.#notes.copies(systemName, trees, isAllNew);
      await this.#noteConfinement(systemName, oldest);
      return;
    }
    // A leftover does not show what has become usable.
    if (oldest.orphaned && launches.note(systemName).unusable !== undefined) return;
    const name = this.#recorded(managed);
    const context = this.#program();
    const isFrom = await isFromCommand(this.#table, oldest.root);
    if (isFrom === 'unread') return;
    if (isFrom) {
      await this.#noteConfinement(systemName, oldest);
      // From PATH, unless start_command started it, which leaves a note.
      if (launches.get(systemName) !== undefined || oldest.by === 'start') return;
      const recalled = await livingLaunch(context, oldest);
      if (!(await this.#isOurCheck(oldest, recalled))) this.#notes.byCommand(systemName, recalled);
      return;
    }
    const recalled = await rememberLaunch(context, launches, oldest, name);
    if (recalled.kind === 'known' && recalled.otherwise !== undefined) this.#logOtherwise(managed, oldest, recalled.otherwise);
    const copy = this.#options.maxMatches > 1 ? await rememberCopies(context, launches, name, further, isAllNew) : undefined;
    this.#notes.unusable(systemName, recalled.kind === 'unknown' ? recalled : copy);
  }

  /** An earlier record stays valid for what a command has started, unless it would free it from its confinement. */
  async #noteConfinement(systemName: string, oldest: ProcessTree): Promise<void> {
    if (this.#parts.launches.get(systemName) === undefined || oldest.orphaned) return;
    if (!(await isLife(this.#table, oldest, this.#options.commandTimeoutMs))) return;
    const living = await livingLaunch(this.#program(), oldest);
    if (living.kind === 'known') this.#notes.unusable(systemName, undefined);
    else if (isSurelyConfined(living)) this.#notes.unusable(systemName, living);
  }

  /** Records what is known about a program that was just started. */
  started({ systemName }: ManagedProcess): void {
    if (this.#options.startCommand !== undefined) this.#notes.byStartCommand(systemName);
  }

  /** RestartStrategy.concern; may throw. */
  async concern(managed: ManagedProcess, look?: TakeLook): Promise<string | undefined> {
    if (this.#options.startCommand !== undefined) return undefined;
    const { systemName } = managed;
    const { launches, pins } = this.#parts;
    const isUnusable = pins.get(systemName) === undefined && launches.note(systemName).unusable !== undefined;
    let running: Found = { trees: [], foreign: new Map() };
    if (isUnusable || !this.isRecorded(systemName)) {
      const seen = await look?.();
      if (seen === undefined || this.#finder.mayRun(systemName, seen)) {
        const found = await withDeadline(this.#parts.clock, FIND_MS, undefined, async ({ signal }) =>
          (await this.#finder.finder(managed, signal))(seen),
        );
        // What runs then may not be restarted.
        if (found.kind === 'refused' || ambiguityOf(found, this.#options) !== undefined) return undefined;
        running = found;
      }
    }
    const plan = await this.plan(managed, 1, running, (path) => this.#hashes.of(path));
    return plan.kind === 'refused' && plan.unseen !== true ? plan.reason : undefined;
  }

  /** RestartStrategy.launchesNow for a program whose name can be looked for. */
  async now(managed: ManagedProcess, signal: AbortSignal): Promise<LaunchesNow> {
    if (this.#options.startCommand !== undefined)
      return { kind: 'refused', reason: 'start_command says how it is started, which needs no pin' };
    const found = await (await this.#finder.finder(managed, signal))();
    if (found.kind === 'refused') return found;
    const ambiguity = ambiguityOf(found, this.#options);
    if (ambiguity !== undefined) return { kind: 'refused', reason: ambiguity };
    const { launches } = this.#parts;
    return launchesOf(
      this.#program(),
      found.trees,
      launches.get(managed.systemName),
      launches.note(managed.systemName).unusable,
    );
  }

  /** How what runs differs from what would be started, one line each. */
  async differences(managed: ManagedProcess, trees: readonly ProcessTree[]): Promise<string[]> {
    if (this.#options.startCommand !== undefined) return [];
    const { launches, pins } = this.#parts;
    const { systemName, processName } = managed;
    const known = { pin: pins.get(systemName), stored: launches.get(systemName), name: this.#recorded(managed) };
    return differencesOf(this.#program(), trees, known, pinAdvice(processName));
  }

  /** For one round over the program's copies. */
  #program(): LaunchContext {
    return { table: this.#table, starter: this.#parts.programs.starter, room: new RecordRoom() };
  }

  #recorded({ systemName }: ManagedProcess): RecordedName {
    return { systemName, userUid: this.#finder.userUid };
  }

  /** A shell line that we started: from PATH, unless it was start_command, which leaves a note. */
  async #isOurCommands({ by, root }: ProcessTree): Promise<boolean> {
    return by === 'start' && (await isFromCommand(this.#table, root)) !== false;
  }

  /**
   * A command under way, such as a health check `nginx -t`, is not a life of the program; run as another user it would be
   * reported.
   */
  async #isOurCheck({ root }: ProcessTree, recalled: RecalledLaunch): Promise<boolean> {
    if (!(await isCommandUnderWay(this.#table, root, this.#options.commandTimeoutMs))) return false;
    if (recalled.kind === 'unknown') return recalled.passing === true;
    return recalled.record.uid === (this.#finder.userUid ?? process.geteuid?.());
  }

  /** Once for each name: logs that what is recorded would be started in place of what runs. */
  #logOtherwise({ processName, systemName }: ManagedProcess, { root: { pid } }: ProcessTree, otherwise: string): void {
    if (this.#parts.pins.get(systemName) !== undefined || this.#logged.has(systemName) || this.#logged.size >= MOST_LOGGED)
      return;
    this.#logged.add(systemName);
    this.#parts.log.warning(`${processName}: pid ${pid}: ${otherwise}: ${pinAdvice(processName)}`, {
      process_name: processName,
      process_pid: pid,
    });
  }
}

/** How many names are logged at most. */
const MOST_LOGGED = 1000;
/** A look in passing does not wait longer than this for a directory of users. */
const FIND_MS = 2000;
