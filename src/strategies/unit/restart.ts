import { formatDuration } from '../../core/duration.ts';
import type { ServiceManager, UnitStatus } from '../../system/systemd/service-manager.ts';
import { type Deadline, startDeadline } from '../deadline.ts';
import type { RestartOutcome, StrategyParts } from '../strategy.ts';
import { type UnitLookup, untilAnswered } from './lookup.ts';
import type { UnitPermission } from './permission.ts';
import { isUp, loadProblem, needsReset, nextStep } from './state.ts';

/** What of the system the service strategy uses. */
export type ServiceParts = Pick<StrategyParts, 'services' | 'clock' | 'log' | 'table' | 'unitsWithProcesses'>;

/** One restart of one unit. */
export interface UnitRestart {
  /** Finds and judges the unit anew: between two looks an alias may have come to mean another. */
  readonly lookUp: (signal: AbortSignal) => Promise<UnitLookup>;
  /** Whether it may be restarted as it stands; asked right before that is done. */
  readonly permit: (status: UnitStatus, signal: AbortSignal) => Promise<UnitPermission>;
  /** Takes the unit's name before it is touched, and lets it go once it is up. */
  readonly touched: Set<string>;
  /** For waiting for systemd's own restart, and again for what we do then. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** RestartAttempt.outsideSlot. */
  readonly outsideSlot: <T>(wait: () => Promise<T>) => Promise<T>;
  /** RestartAttempt.isUnwanted. */
  readonly isUnwanted: () => Promise<boolean>;
}

/**
 * Brings a unit up: waits while systemd itself is restarting it, then starts or restarts it, and lifts its start limit where
 * that stands in the way. Never rejects. Source: systemctl(1).
 */
export async function restartUnit(parts: ServiceParts, restart: UnitRestart): Promise<RestartOutcome> {
  const settled = await within(parts, restart, (deadline) => settle(parts, restart, deadline));
  if (settled.kind !== 'unit') return settled;
  const { id } = settled.status;
  return within(parts, restart, async (deadline) => {
    const permit = (signal: AbortSignal) => restart.permit(settled.status, signal);
    const permission = await untilAnswered(parts.clock, permit, deadline.signal);
    if (permission.kind === 'unanswered') return { kind: 'failed', reason: `not started: ${permission.why}` };
    if (permission.kind === 'refused') return { kind: 'failed', reason: permission.reason };
    restart.touched.add(id);
    const outcome = await startOrRestart(parts.services, settled.status, { ...restart, deadline });
    if (outcome.kind === 'restarted') restart.touched.delete(id);
    return outcome;
  });
}

async function within<T>(
  { clock }: ServiceParts,
  { limitMs, signal }: UnitRestart,
  run: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(clock, limitMs, signal);
  try {
    return await run(deadline);
  } finally {
    deadline.end();
  }
}

type Settled = { readonly kind: 'unit'; readonly status: UnitStatus } | RestartOutcome;

/** The unit as it stands once systemd itself does nothing about it. */
async function settle(parts: ServiceParts, restart: UnitRestart, deadline: Deadline): Promise<Settled> {
  const first = await look(parts, restart, deadline);
  if (first.kind !== 'unit' || nextStep(first.status) !== 'wait') return first;
  parts.log.debug(`systemd is just restarting ${first.status.id} itself: waiting for it`);
  const settled = await restart.outsideSlot(() => awaitSystemd(parts, first.status.id, restart, deadline));
  const isOver = settled.kind === 'unit' && (await restart.isUnwanted());
  return isOver ? { kind: 'failed', reason: 'not wanted any more' } : settled;
}

async function look({ clock }: ServiceParts, { lookUp }: UnitRestart, deadline: Deadline): Promise<Settled> {
  const found = await untilAnswered(clock, lookUp, deadline.signal);
  if (found.kind === 'unanswered') return { kind: 'failed', reason: `not started: ${found.why}` };
  if (found.kind !== 'found') return { kind: 'failed', reason: found.reason };
  const problem = loadProblem(found.status);
  return problem === undefined ? { kind: 'unit', status: found.status } : { kind: 'failed', reason: problem };
}

async function awaitSystemd(parts: ServiceParts, unit: string, restart: UnitRestart, deadline: Deadline): Promise<Settled> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    await parts.clock.sleep(Math.min(pauseMs, deadline.remainingMs()), deadline.signal);
    if (restart.signal.aborted) return { kind: 'failed', reason: 'aborted' };
    if (deadline.remainingMs() === 0) {
      return {
        kind: 'failed',
        reason: `${unit} is not up after ${formatDuration(restart.limitMs)} of systemd restarting it itself`,
      };
    }
    const now = await look(parts, restart, deadline);
    if (now.kind !== 'unit') return now;
    if (isUp(now.status)) return { kind: 'restarted', detail: `systemd restarted ${now.status.id} itself` };
    if (nextStep(now.status) !== 'wait') return now;
  }
}

async function isTransient(services: ServiceManager, unit: string, { signal }: Deadline): Promise<boolean> {
  const answer = await services.relations(unit, signal);
  return answer.kind === 'known' && answer.relations.unitFileState === 'transient';
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;

async function startOrRestart(
  services: ServiceManager,
  status: UnitStatus,
  { signal, deadline }: { readonly signal: AbortSignal; readonly deadline: Deadline },
): Promise<RestartOutcome> {
  const { id } = status;
  // Never 0, which a timer of somebody else's may take for no limit at all.
  const call = (verb: 'start' | 'restart' | 'reset-failed') => services.call(verb, id, deadline.remainingMs() || 1, signal);
  const verb = isUp(status) ? 'restart' : 'start';
  // A transient unit that has failed is forgotten once it is reset.
  const reset = needsReset(status) && !(status.result !== 'start-limit-hit' && (await isTransient(services, id, deadline)));
  // That it fails is no verdict: a unit that systemd has just forgotten has nothing to reset.
  if (reset) await call('reset-failed');
  const first = await call(verb);
  if (first.kind === 'done')
    return { kind: 'restarted', detail: `systemctl ${verb} ${id}${reset ? ' after reset-failed' : ''}` };
  const failure: RestartOutcome = { kind: 'failed', reason: `systemctl ${verb} ${id}: ${first.reason}` };
  if (reset || deadline.signal.aborted) return failure;
  // Our own restarts count against the unit's start limit too, and an active unit does not say how near it is.
  const after = await services.show(id, deadline.signal);
  if (after.kind === 'failed' || after.status.result !== 'start-limit-hit') return failure;
  await call('reset-failed');
  const second = await call('start');
  return second.kind === 'done'
    ? { kind: 'restarted', detail: `systemctl start ${id} after reset-failed` }
    : { kind: 'failed', reason: `systemctl start ${id}: ${second.reason}` };
}
