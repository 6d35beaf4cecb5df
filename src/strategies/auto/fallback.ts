// Restarts a unit, and if that fails starts its program in its place (`start_command` beside restart_strategy = auto).
import type { ManagedProcess } from '../../core/alarm.ts';
import { isDown, isUp } from '../../system/systemd/unit/state.ts';
import type { RestartAttempt, RestartOutcome, RestartStrategy, StrategyParts } from '../strategy.ts';
import type { TakeKnown } from '../unit/programs/beside.ts';
import { isRestartedBySystemd, loadProblem } from '../unit/state.ts';
import type { ServiceStrategy } from '../unit/strategy.ts';

/** What a restart with a fallback needs. */
interface FallbackParts extends Pick<StrategyParts, 'services' | 'programs' | 'clock'> {
  readonly service: ServiceStrategy;
  /** Starts the program if the unit fails. */
  readonly program: RestartStrategy;
  readonly commandTimeoutMs: number;
}

/**
 * Restarts the unit; if it fails, or is down again within seconds, it is given up and its program is started. `known`: what runs
 * of the program.
 */
export async function restartOrFallBack(
  attempt: RestartAttempt,
  known: TakeKnown,
  parts: FallbackParts,
): Promise<RestartOutcome> {
  const { process, signal } = attempt;
  const { service, program, programs, commandTimeoutMs } = parts;
  // Before anything is stopped.
  const outside = await service.outside(process, known, signal);
  if (outside !== undefined) return { kind: 'failed', reason: outside };
  // What an earlier fallback started would occupy the unit's port.
  const left = await programs.retire(process.systemName, commandTimeoutMs, signal);
  if (left !== undefined) return { kind: 'failed', reason: `not started: ${left}` };
  const outcome = await service.restart(attempt, known);
  if (signal.aborted) return outcome;
  const failure = outcome.kind === 'failed' ? outcome.reason : await earlyDeath(service, process, signal);
  if (failure === undefined) return outcome;
  // Force may have been left out because of that, and then the program must not be started instead.
  if (await attempt.isUnwanted?.()) return outcome;
  const output = outcome.kind === 'failed' && outcome.output !== undefined ? { output: outcome.output } : {};
  const inTheWay = await giveUpUnit(attempt, known, parts);
  if (inTheWay !== undefined) {
    return outcome.kind === 'restarted'
      ? outcome
      : { kind: 'failed', reason: `${failure}; not started as a process: ${inTheWay}`, ...output };
  }
  const instead = await program.restart(attempt);
  return instead.kind === 'failed'
    ? {
        kind: 'failed',
        reason: `${failure}; then as a process: ${instead.reason}`,
        ...(instead.output === undefined ? output : { output: instead.output }),
      }
    : { kind: 'restarted', detail: `${instead.detail} (as a process: ${failure})` };
}

/** Most units count as started before their program has done anything: why this one is down again; undefined if it is up. */
async function earlyDeath(service: ServiceStrategy, process: ManagedProcess, signal: AbortSignal): Promise<string | undefined> {
  const health = await service.prove(process, BETWEEN_LOOKS_MS, EARLY_DEATH_MS, signal);
  return health.kind === 'unhealthy' ? health.reason : undefined;
}

/**
 * Makes sure that systemd will not bring the unit up beside the program. Returns one line if the unit is up after all and lasts,
 * or is changing (a start that takes longer than our limit has not failed), if that cannot be determined, or if the program runs
 * already.
 */
async function giveUpUnit(
  { process, signal }: RestartAttempt,
  known: TakeKnown,
  { service, services, clock, commandTimeoutMs }: FallbackParts,
): Promise<string | undefined> {
  const found = await service.lookUp(process, signal);
  if (found.kind === 'absent') return undefined;
  if (found.kind !== 'found') return found.reason;
  const { id, loadState, activeState, mainPid, hasJob } = found.status;
  if (loadState === 'masked') return loadProblem(found.status);
  // It would come up beside the program.
  if (hasJob && !isRestartedBySystemd(found.status)) return `a job of systemd for ${id}, which is ${activeState}, is under way`;
  if (isDown(found.status)) return service.outside(process, known, signal);
  const running = await service.findRunning(process, signal);
  const isHollow = running.kind === 'found' && running.isHollow === true;
  if (isUp(found.status) && !isHollow) {
    // Between two crashes it looks like a unit that is up.
    await clock.sleep(BETWEEN_LOOKS_MS, signal);
    const later = await service.lookUp(process, signal);
    if (later.kind !== 'found') return later.reason;
    if (isUp(later.status) && later.status.mainPid === mainPid) return `${id} is ${activeState}`;
  } else if (!isHollow && !isRestartedBySystemd(found.status)) return `${id} is ${activeState}`;
  const stopped = await services.call('stop', id, commandTimeoutMs, signal);
  return stopped.kind === 'done' ? undefined : `${id} cannot be stopped: ${stopped.reason}`;
}

/** Time to see whether a unit that was just started lasts. */
const EARLY_DEATH_MS = 3000;
const BETWEEN_LOOKS_MS = 1000;
