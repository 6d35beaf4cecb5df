import { formatDuration } from '../../core/duration.ts';
import type { ServiceManager, UnitProcesses, UnitStatus } from '../../system/systemd/service-manager.ts';
import type { Deadline } from '../deadline.ts';
import type { RestartOutcome, StrategyParts } from '../strategy.ts';
import { describeState, hangs } from './state.ts';

/** A failure that systemd may know more of. */
export interface UnitFailure {
  readonly kind: 'failed';
  readonly unit: string;
  readonly reason: string;
  /** The reason is systemd's own already; else it says only how the unit stands. */
  readonly isTold: boolean;
}

/** A unit that has hung in a start or stop. */
export interface HungUnit {
  /** As it stands. */
  readonly status: UnitStatus;
  /** For how long it was waited for. */
  readonly hungMs: number;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

/**
 * Restarts a unit that hangs: its job is replaced, what does not end at SIGTERM is killed, its start limit is lifted, and it is started.
 * As a restart, so that units which go with it are brought back too. Of a unit that leaves processes alive on purpose (KillMode=process,
 * KillMode=none) only the main process and the command that hangs are killed. The caller has asked whether it may be. Never rejects.
 */
export async function restartByForce(
  parts: Pick<StrategyParts, 'services' | 'clock' | 'log'>,
  unit: HungUnit,
): Promise<RestartOutcome | UnitFailure> {
  const { services, log } = parts;
  const { status, hungMs, deadline, signal } = unit;
  const { id } = status;
  const hung = `it was ${describeState(status)} for ${formatDuration(hungMs)}`;
  log.warning(`RESTART LOG: Restarting ${id} by force: ${hung}`, { unit: id });
  const call = (verb: 'start' | 'restart' | 'reset-failed') => services.call(verb, id, deadline.remainingMs() || 1, signal);
  const done = (detail: string): RestartOutcome => ({ kind: 'restarted', detail: `${detail} ${id} by force: ${hung}` });
  // Our own restarts count against its start limit too.
  await call('reset-failed');
  const over = new AbortController();
  const killing = killStopping(parts, unit, over.signal);
  const first = await call('restart');
  over.abort();
  await killing;
  if (first.kind === 'done') return done('systemctl restart');
  const failure: UnitFailure = {
    kind: 'failed',
    unit: id,
    reason: `systemctl restart ${id} by force: ${first.reason}`,
    isTold: true,
  };
  if (signal.aborted) return failure;
  const after = await services.show(id, signal);
  if (after.kind === 'failed') return failure;
  if (hangs(after.status)) {
    const now = stands(after.status);
    return { ...now, reason: `restarted by force, and ${now.reason}` };
  }
  // Our SIGKILL may have come when its new start had begun already.
  if (deadline.signal.aborted || !OUR_DOING.includes(after.status.result)) return failure;
  await call('reset-failed');
  const second = await call('start');
  return second.kind === 'done'
    ? done('systemctl start')
    : { ...failure, reason: `systemctl start ${id} by force: ${second.reason}` };
}

const OUR_DOING: readonly string[] = ['signal', 'timeout', 'start-limit-hit', 'resources'];

/** How a unit stands that did not come up. */
export function stands(status: UnitStatus): UnitFailure {
  return { kind: 'failed', unit: status.id, reason: `${status.id} is ${describeState(status)}`, isTold: false };
}

/** Kills what of the unit does not end by itself while it is stopped, until `over` aborts. */
async function killStopping(
  { services, clock }: Pick<StrategyParts, 'services' | 'clock'>,
  { status: { id, activeState }, deadline }: HungUnit,
  over: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([deadline.signal, over]);
  // One whose stop hangs has had its time; a start that hangs may have something to bring in order.
  await clock.sleep(activeState === 'deactivating' ? 0 : Math.min(LONGEST_GRACE_MS, deadline.remainingMs() / 4), signal);
  let whom: readonly UnitProcesses[] | undefined;
  while (!signal.aborted) {
    const now = await services.show(id, signal);
    if (now.kind === 'status' && now.status.activeState === 'deactivating') {
      whom ??= await mayBeKilled(services, id, signal);
      for (const which of whom) await services.kill(id, which, deadline.remainingMs() || 1, signal);
    }
    // ExecStopPost= may hang too.
    await clock.sleep(AGAIN_MS, signal);
  }
}

/** What else lives in its control group may be meant to outlive it: the containers of a daemon, the jobs of cron(8). */
async function mayBeKilled(services: ServiceManager, id: string, signal: AbortSignal): Promise<readonly UnitProcesses[]> {
  const told = await services.killMode(id, signal);
  const killMode = told.kind === 'known' ? told.killMode : undefined;
  return killMode === 'control-group' || killMode === 'mixed' ? ['all'] : ['main', 'control'];
}

const LONGEST_GRACE_MS = 10_000;
const AGAIN_MS = 250;
