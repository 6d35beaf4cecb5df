import process from 'node:process';
import type { ManagedProcess } from '../../core/alarm.ts';
import type { RestartPreview } from '../../core/outcomes.ts';
import type { ProcessTable } from '../../system/proc/table.ts';
import type { RestartAttempt, RestartOutcome, StrategyParts } from '../strategy.ts';
import { unitOfMain } from '../unit/of-main.ts';
import { ServiceStrategy } from '../unit/service.ts';
import type { ProcessTree } from './identity/identity.ts';
import type { ProcessOptions } from './options.ts';

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

  /** As of now, as the process that means it; undefined where it is none's main process. Never rejects. */
  async of(
    managed: ManagedProcess,
    [tree, ...more]: readonly ProcessTree[],
    signal: AbortSignal,
  ): Promise<ManagedProcess | undefined> {
    if (this.#options.startCommand !== undefined || more.length > 0) return undefined;
    const unit =
      tree === undefined
        ? this.recorded(managed.systemName)
        : await unitOfMain(this.#table, this.#parts.services, tree, process.pid, signal);
    if (unit === undefined) return undefined;
    const asUnit = { ...managed, systemName: unit, systemNameConfigured: true };
    // One that is gone, removed with its package perhaps, starts nothing any more.
    const isGone = tree === undefined && (await this.#service.lookUp(asUnit, signal)).kind === 'absent';
    return isGone ? undefined : asUnit;
  }

  /** Restarts what `of` gave. Never rejects. */
  restart(attempt: RestartAttempt, unit: ManagedProcess): Promise<RestartOutcome> {
    return this.#service.restart({ ...attempt, process: unit });
  }

  preview(unit: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    return this.#service.preview(unit, signal);
  }
}
