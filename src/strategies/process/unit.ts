import process from 'node:process';
import type { ManagedProcess } from '../../core/alarm.ts';
import type { RestartPreview } from '../../core/outcomes.ts';
import type { ProcessTable } from '../../system/proc/table.ts';
import type { AlsoStarts, RestartAttempt, RestartOutcome, StrategyParts } from '../strategy.ts';
import { type MainOf, unitOfMain } from '../unit/of-main.ts';
import { ServiceStrategy } from '../unit/service.ts';
import type { ProcessTree } from './identity/identity.ts';
import type { ProcessOptions } from './options.ts';

/** The unit, as the process that means it; `unknown`: systemd does not say, one line why. */
export type UnitOf =
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
    // Its own health check is not asked.
    const healthCheckTimeoutMs = commandTimeoutMs;
    this.#service = new ServiceStrategy({ hasOwnSection, commandTimeoutMs, healthCheckTimeoutMs, stableTimeMs }, parts);
  }

  /** As it was when the program was last seen, before a boot too; undefined where start_command says how that is started. */
  recorded(systemName: string): string | undefined {
    return this.#options.startCommand === undefined ? this.#parts.roots.lastUnit(systemName) : undefined;
  }

  /** As of now, as the process that means it. Never rejects. */
  async of(managed: ManagedProcess, [tree, ...more]: readonly ProcessTree[], signal: AbortSignal): Promise<UnitOf> {
    if (this.#options.startCommand !== undefined || more.length > 0) return NONE;
    const main = tree === undefined ? this.#lastMain(managed) : await this.#mainOf(managed, tree, signal);
    if (main.kind !== 'unit') return main;
    const process = asUnit(managed, main.unit);
    // One that is gone, removed with its package perhaps, starts nothing any more.
    const isGone = tree === undefined && (await this.#service.lookUp(process, signal)).kind === 'absent';
    return isGone ? NONE : { kind: 'unit', process };
  }

  /** What else a restart through the unit starts; nothing if there is none. Never rejects. */
  async alsoStarts(managed: ManagedProcess, signal: AbortSignal): Promise<AlsoStarts> {
    const unit = this.recorded(managed.systemName);
    if (unit === undefined) return { kind: 'known', units: [] };
    return this.#service.alsoStarts(asUnit(managed, unit), signal);
  }

  /** Why a name without a section may not restart the unit `unit` of its program, in one line; undefined if it may. Never rejects. */
  async refusal(managed: ManagedProcess, unit: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.#options.configured) return undefined;
    const found = await this.#service.lookUpToAct(asUnit(managed, unit), signal);
    return found.kind === 'refused' ? found.reason : undefined;
  }

  #lastMain({ systemName }: ManagedProcess): MainOf {
    const unit = this.recorded(systemName);
    return unit === undefined ? NONE : { kind: 'unit', unit };
  }

  /** What systemd does not say was perhaps recorded of the very process. */
  async #mainOf({ systemName }: ManagedProcess, tree: ProcessTree, signal: AbortSignal): Promise<MainOf> {
    const main = await unitOfMain(this.#table, this.#parts.services, tree, process.pid, signal);
    if (main.kind !== 'unknown') return main;
    const { pid, startTime } = tree.root;
    const known = this.#parts.roots.get(systemName).find((root) => root.pid === pid && root.startTime === startTime);
    return known?.unit === undefined ? main : { kind: 'unit', unit: known.unit };
  }

  /** Restarts what `of` gave. Never rejects. */
  restart(attempt: RestartAttempt, unit: ManagedProcess): Promise<RestartOutcome> {
    return this.#service.restart({ ...attempt, process: unit });
  }

  preview(unit: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    return this.#service.preview(unit, signal);
  }
}

function asUnit(managed: ManagedProcess, unit: string): ManagedProcess {
  return { ...managed, systemName: unit, systemNameConfigured: true };
}
