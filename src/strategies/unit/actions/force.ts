// Restarts a unit by force: one that hangs in a start or stop for its whole time limit.

import type { Deadline } from '../../../core/deadline.ts';
import { formatDuration } from '../../../core/text/duration.ts';
import type { UnitProcesses, UnitStatus } from '../../../system/systemd/service-manager.ts';
import { isDown } from '../../../system/systemd/unit/state.ts';
import type { RestartOutcome, StrategyParts } from '../../strategy.ts';
import { describeState, hangs } from '../state.ts';
import { permitStop, stoppedFirst } from './left-alive.ts';

/** A failure about which systemd may know more. */
export interface UnitFailure {
  readonly kind: 'failed';
  readonly unit: string;
  readonly reason: string;
  /** The reason is systemd's own already; else it only describes the unit's state. */
  readonly isFromSystemd: boolean;
}

/** A unit that has hung in a start or stop. */
interface HungUnit {
  /** Its state. */
  readonly status: UnitStatus;
  /** How long it was waited for. */
  readonly hungMs: number;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

/**
 * Restarts a unit that hangs: its job is replaced, what does not end at SIGTERM is killed, its start limit is lifted, and it is
 * started. This is done as a restart, so that units which go with it are started again too. In a unit that leaves processes
 * alive on purpose (KillMode=process, KillMode=none) only the main process and the command that hangs are killed, and nothing
 * if SendSIGKILL=no: then its end is awaited. The caller has asked whether it is permitted. Never rejects.
 */
export async function restartByForce(
  parts: Pick<StrategyParts, 'services' | 'table' | 'clock' | 'log'>,
  unit: HungUnit,
): Promise<RestartOutcome | UnitFailure> {
  const { services, log } = parts;
  const { status, deadline, signal } = unit;
  const { id } = status;
  const notForced = (reason: string): RestartOutcome => ({ kind: 'failed', reason: `not restarted by force: ${reason}` });
  const permission = await permitStop(parts, status, signal);
  if (permission.kind === 'unanswered') return notForced(permission.why);
  if (permission.kind === 'refused') return { kind: 'failed', reason: permission.reason };
  const killing = await services.killMode(id, signal);
  if (killing.kind === 'failed') return notForced(killing.reason);
  const { forbidsSigkill = false } = killing;
  const isSpared = forbidsSigkill && status.activeState === 'deactivating';
  const how = isSpared ? 'after a longer wait' : 'by force';
  const hung = describeHanging(unit);
  log.warning(
    isSpared
      ? `RESTART LOG: Waiting longer for the end of ${id}: ${hung}, and ${BAN}`
      : `RESTART LOG: Restarting ${id} by force: ${hung}`,
    { unit: id },
  );
  const call = (verb: 'start' | 'restart' | 'reset-failed') => services.call(verb, id, deadline.remainingMs() || 1, signal);
  const done = (verb: 'start' | 'restart'): RestartOutcome => ({
    kind: 'restarted',
    detail: `systemctl ${verb} ${id} ${how}: ${hung}`,
  });
  // Our own restarts count against its start limit too.
  await call('reset-failed');
  const over = new AbortController();
  const killed = forbidsSigkill ? undefined : killStopping(parts, unit, mayBeKilled(killing.killMode), over.signal);
  const first = await stoppedFirst(parts, status, { signal, deadline, killMode: killing.killMode }, () => call('restart'));
  over.abort();
  await killed;
  if (first.kind === 'done') return done('restart');
  const failure: UnitFailure = {
    kind: 'failed',
    unit: id,
    reason: first.kind === 'not_stopped' ? first.reason : `systemctl restart ${id} ${how}: ${first.reason}`,
    isFromSystemd: true,
  };
  if (signal.aborted) return failure;
  const after = await services.show(id, signal);
  if (after.kind === 'failed') return failure;
  if (hangs(after.status)) {
    const now = notUp(after.status);
    const ban = forbidsSigkill && after.status.activeState === 'deactivating' ? `, does not end, and ${BAN}` : '';
    return { ...now, reason: `restarted ${how}, and ${now.reason}${ban}` };
  }
  // Our SIGKILL may have come after its new start had begun.
  if (first.kind === 'not_stopped' || deadline.signal.aborted || !OUR_DOING.includes(after.status.result)) return failure;
  await call('reset-failed');
  const second = await call('start');
  return second.kind === 'done' ? done('start') : { ...failure, reason: `systemctl start ${id} ${how}: ${second.reason}` };
}

const BAN = 'its SendSIGKILL=no forbids SIGKILL';

/** `it was activating (start) for 60 s`; a job that is not done may be between two states that each last a moment. */
function describeHanging({ status, hungMs }: HungUnit): string {
  const within = formatDuration(hungMs);
  return isDown(status)
    ? `its job was not done after ${within}, when it was ${describeState(status)}`
    : `it was ${describeState(status)} for ${within}`;
}

const OUR_DOING: readonly string[] = ['signal', 'timeout', 'start-limit-hit', 'resources'];

/** The failure of a unit that did not come up: its state. */
export function notUp(status: UnitStatus): UnitFailure {
  return { kind: 'failed', unit: status.id, reason: `${status.id} is ${describeState(status)}`, isFromSystemd: false };
}

/** Kills what does not end by itself while the unit is stopped, until `over` aborts. */
async function killStopping(
  { services, clock }: Pick<StrategyParts, 'services' | 'clock'>,
  { status: { id, activeState }, deadline }: HungUnit,
  whom: readonly UnitProcesses[],
  over: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([deadline.signal, over]);
  // A unit whose stop hangs has had its time; a start that hangs may have something to clean up.
  await clock.sleep(activeState === 'deactivating' ? 0 : Math.min(LONGEST_GRACE_MS, deadline.remainingMs() / 4), signal);
  while (!signal.aborted) {
    const now = await services.show(id, signal);
    if (now.kind === 'status' && now.status.activeState === 'deactivating')
      for (const which of whom) await services.kill(id, which, deadline.remainingMs() || 1, signal);
    // ExecStopPost= may hang too.
    await clock.sleep(AGAIN_MS, signal);
  }
}

/** What else is in its control group may be meant to outlive it: the containers of a daemon, the jobs of cron(8). */
function mayBeKilled(killMode: string): readonly UnitProcesses[] {
  return killMode === 'control-group' || killMode === 'mixed' ? ['all'] : ['main', 'control'];
}

const LONGEST_GRACE_MS = 10_000;
const AGAIN_MS = 250;
