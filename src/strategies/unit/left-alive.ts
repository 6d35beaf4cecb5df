import type { ProcessIdentity } from '../../system/proc/table.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import type { RestartOutcome, StrategyParts } from '../strategy.ts';
import type { UnitPermission } from './permission.ts';
import { unanswered } from './starts.ts';
import { isUp } from './state.ts';

/** What it takes to see what of a unit outlives its stop. */
type LeftAliveParts = Pick<StrategyParts, 'services' | 'table' | 'clock'>;

/**
 * The main processes of units whose stop ends nothing by itself (KillMode=none): a restart of such a unit starts a second copy beside one
 * that its ExecStop= has not ended. Of any other unit its KillMode= is all that is asked.
 */
export class LeftAlive {
  readonly #parts: LeftAliveParts;
  /** By the unit's name the main process that its last restart was to end. */
  readonly #former = new Map<string, ProcessIdentity>();

  constructor(parts: LeftAliveParts) {
    this.#parts = parts;
  }

  /** Whether the unit may be restarted, and remembers its main process. Never rejects. */
  async permit(status: UnitStatus, signal: AbortSignal): Promise<UnitPermission> {
    const { id, mainPid } = status;
    const before = this.#former.get(id);
    const main = isUp(status) && mainPid > 0 ? this.#parts.table.read(mainPid, ['startTime']) : undefined;
    if (before === undefined && main === undefined) return { kind: 'permitted' };
    const mode = await this.#parts.services.killMode(id, signal);
    if (mode.kind === 'failed') return unanswered(id, mode.reason);
    if (mode.killMode !== 'none') {
      this.#former.delete(id);
      return { kind: 'permitted' };
    }
    if (before !== undefined && before.pid !== mainPid && this.#parts.table.exists(before))
      return { kind: 'refused', reason: `${id}: pid ${before.pid} of its last life still runs, and ${LEAVES}` };
    this.#former.delete(id);
    if (main === undefined) return { kind: 'permitted' };
    const told = await this.#parts.services.program(id, signal);
    if (told.kind === 'failed') return unanswered(id, told.reason);
    if (!told.program.hasStop)
      return {
        kind: 'refused',
        reason: `${id} has no ExecStop= that would end its main process (pid ${mainPid}), and ${LEAVES}`,
      };
    this.#former.set(id, main);
    return { kind: 'permitted' };
  }

  /** What came of a restart of the unit: its former main process gets a moment to end. Never rejects. */
  async judge(id: string, outcome: RestartOutcome, signal: AbortSignal): Promise<RestartOutcome> {
    const { clock, table } = this.#parts;
    const former = this.#former.get(id);
    if (former === undefined || outcome.kind !== 'restarted') return outcome;
    const endMs = clock.monotonicMs() + PATIENCE_MS;
    while (table.exists(former)) {
      if (signal.aborted || clock.monotonicMs() >= endMs)
        return {
          kind: 'failed',
          reason: `${outcome.detail}: its ExecStop= has not ended pid ${former.pid}, which runs beside the new one (KillMode=none)`,
        };
      await clock.sleep(LOOK_MS, signal);
    }
    this.#former.delete(id);
    return outcome;
  }
}

const LEAVES = 'its KillMode=none leaves that alive: a restart would make a second copy';
const PATIENCE_MS = 5000;
const LOOK_MS = 100;
