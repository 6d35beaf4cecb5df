// Restarts a program through the unit of which it is the main process.
import process from 'node:process';
import type { ManagedProcess } from '../../core/alarm.ts';
import type { RestartPreview } from '../../core/outcomes.ts';
import { sameProcess } from '../../core/program/roots.ts';
import type { SeenProcess } from '../../system/proc/look.ts';
import type { ProcessTable } from '../../system/proc/table.ts';
import { isDown } from '../../system/systemd/unit/state.ts';
import type { AlsoStarts, RestartAttempt, RestartOutcome, StrategyParts } from '../strategy.ts';
import type { TwinUnit } from '../twins.ts';
import { nothingKnown } from '../unit/programs/beside.ts';
import { type MainOf, unitOfMain } from '../unit/programs/of-main.ts';
import { ServiceStrategy } from '../unit/strategy.ts';
import type { ProcessTree } from './identity/identity.ts';
import type { ProcessOptions } from './options.ts';
import { restInTheWay } from './running/unit-rest.ts';

/** The unit of a program, as the process that means it; `unknown`: systemd does not say, with a one-line reason. */
type UnitOf =
  | { readonly kind: 'unit'; readonly process: ManagedProcess }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string };

const NONE = { kind: 'none' } as const;

/** The system unit that a restart of a program goes through, because the program is its main process. */
export class ProgramUnit {
  readonly #options: ProcessOptions;
  readonly #parts: StrategyParts;
  readonly #table: ProcessTable;
  readonly #service: ServiceStrategy;

  constructor(options: ProcessOptions, parts: StrategyParts, table: ProcessTable) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    const { configured: hasOwnSection, commandTimeoutMs, stableTimeMs } = options;
    // The strategy's own health check is not used.
    const healthCheckTimeoutMs = commandTimeoutMs;
    this.#service = new ServiceStrategy({ hasOwnSection, commandTimeoutMs, healthCheckTimeoutMs, stableTimeMs }, parts);
  }

  /**
   * The unit when the program was last seen, even before a boot; undefined if start_command says how the program is started.
   */
  recorded(systemName: string): string | undefined {
    return this.#options.startCommand === undefined ? this.#parts.roots.lastUnit(systemName) : undefined;
  }

  /**
   * Another section's unit that would run the program; undefined if a key other than the name says how it is identified or
   * started.
   */
  async twin(systemName: string, signal: AbortSignal): Promise<TwinUnit | undefined> {
    const { argument, pidFile, user, startCommand } = this.#options;
    const isPlain = [argument, pidFile, user, startCommand].every((mark) => mark === undefined);
    return isPlain ? this.#parts.twins?.unitOf(systemName, signal) : undefined;
  }

  /** The unit as it is now, as the process that means it. Never rejects. */
  async of(managed: ManagedProcess, [tree, ...more]: readonly ProcessTree[], signal: AbortSignal): Promise<UnitOf> {
    if (this.#options.startCommand !== undefined || more.length > 0) return NONE;
    const main = tree === undefined ? await this.#lastMain(managed, signal) : await this.#mainOf(managed, tree, signal);
    if (main.kind !== 'unit') return main;
    const process = asUnit(managed, main.unit);
    // A unit that is gone, removed with its package perhaps, starts nothing any more.
    const isGone = tree === undefined && (await this.#service.lookUp(process, signal)).kind === 'absent';
    return isGone ? NONE : { kind: 'unit', process };
  }

  /**
   * What the unit's last main process left behind in it that prevents its start; [] while the unit is up or the program runs.
   * Never rejects.
   */
  async rest(
    { systemName }: ManagedProcess,
    trees: readonly ProcessTree[],
    unit: ManagedProcess,
    signal: AbortSignal,
  ): Promise<readonly SeenProcess[]> {
    const root = this.#parts.roots.get(systemName).find((one) => one.unit === unit.systemName && one.listens !== undefined);
    if (root === undefined || trees.length > 0) return [];
    const found = await this.#service.lookUpToAct(unit, signal);
    if (found.kind !== 'found' || found.status.loadState !== 'loaded') return [];
    return isDown(found.status) ? restInTheWay(this.#table, root) : [];
  }

  /**
   * Why a name without a section may not restart its program's unit `unit`, in one line; undefined if it may. Never rejects.
   */
  async refusal(managed: ManagedProcess, unit: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.#options.configured) return undefined;
    const found = await this.#service.lookUpToAct(asUnit(managed, unit), signal);
    return found.kind === 'refused' ? found.reason : undefined;
  }

  /** What else a restart through the unit starts, restarts or stops; nothing if there is no unit. Never rejects. */
  async alsoStarts(managed: ManagedProcess, signal: AbortSignal): Promise<AlsoStarts> {
    const main = await this.#lastMain(managed, signal);
    if (main.kind !== 'unit') return { kind: 'known', units: [] };
    return this.#service.alsoStarts(asUnit(managed, main.unit), signal);
  }

  /**
   * If nothing is known about another way of starting it, not even one that is unusable, the unit that would run it is a better
   * guide.
   */
  async #lastMain({ systemName }: ManagedProcess, signal: AbortSignal): Promise<MainOf> {
    const { launches, pins, roots } = this.#parts;
    const recorded = this.recorded(systemName);
    if (recorded !== undefined) return { kind: 'unit', unit: recorded };
    const isKnown = (pins.get(systemName) ?? launches.get(systemName) ?? launches.note(systemName).unusable) !== undefined;
    if (isKnown || roots.get(systemName).some((root) => this.#table.exists(root))) return NONE;
    const twin = await this.twin(systemName, signal);
    return twin === undefined ? NONE : { kind: 'unit', unit: twin.unit };
  }

  /** What systemd does not say may have been recorded for the very process. */
  async #mainOf({ systemName }: ManagedProcess, tree: ProcessTree, signal: AbortSignal): Promise<MainOf> {
    const main = await unitOfMain(this.#table, this.#parts.services, tree, process.pid, signal);
    if (main.kind !== 'unknown') return main;
    const known = this.#parts.roots.get(systemName).find(sameProcess(tree.root));
    return known?.unit === undefined ? main : { kind: 'unit', unit: known.unit };
  }

  /** Restarts the unit that `of` returned. Never rejects. */
  restart(attempt: RestartAttempt, unit: ManagedProcess): Promise<RestartOutcome> {
    return this.#service.restart({ ...attempt, process: unit });
  }

  /** ServiceStrategy.outside, for the unit that `of` returned. Never rejects. */
  outside(unit: ManagedProcess, signal: AbortSignal): Promise<string | undefined> {
    return this.#service.outside(unit, nothingKnown, signal);
  }

  preview(unit: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    return this.#service.preview(unit, signal);
  }
}

function asUnit(managed: ManagedProcess, unit: string): ManagedProcess {
  return { ...managed, systemName: unit, systemNameConfigured: true };
}
