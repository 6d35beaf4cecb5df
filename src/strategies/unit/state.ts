// Reads a unit's status: which step brings it up, whether it is well, and how it is described to people.
import type { HealthResult } from '../../core/outcomes.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import { isDown, isUp } from '../../system/systemd/unit/state.ts';

/**
 * What brings a unit up from its present state. `wait`: systemd is to restart it by itself, and if that is soon, another
 * restart would only make it two. A unit that is starting is not restarted at once: `start` waits for the job under way,
 * because a database that replays its log must be left to do so.
 */
type UnitStep = 'wait' | 'start' | 'restart';

/** The step that fits `status`. Source: org.freedesktop.systemd1(5), service_start() of systemd. */
export function nextStep(status: UnitStatus): UnitStep {
  if (isRestartedBySystemd(status)) return 'wait';
  return isUp(status) ? 'restart' : 'start';
}

/** Down, or going down: a stop or a restart stops nothing of it. */
export function isAtRest(status: UnitStatus): boolean {
  return isDown(status) || status.activeState === 'deactivating';
}

/** Changing, or about to: starting, stopping, or down with a job that has not begun. */
export function hangs(status: UnitStatus): boolean {
  return ['activating', 'deactivating'].includes(status.activeState) || (isDown(status) && status.hasJob);
}

/** True between a crash and the restart that `Restart=` asks for. */
export function isRestartedBySystemd({ activeState, subState }: UnitStatus): boolean {
  return activeState === 'activating' && subState.startsWith('auto-restart');
}

/** True if its last life ended by itself, and badly. */
export function hasCrashed(status: UnitStatus): boolean {
  return status.activeState === 'failed' || isRestartedBySystemd(status);
}

/** True if systemd refuses to start the unit until `reset-failed`, or may do so: a failed unit does not always say why. */
export function needsReset({ activeState, result }: UnitStatus): boolean {
  return activeState === 'failed' || result === 'start-limit-hit';
}

/** True if there is no such unit. One whose file is gone exists as long as it runs, as after the removal of its package. */
export function isAbsent(status: UnitStatus): boolean {
  return status.loadState === 'not-found' && isDown(status);
}

/** Why systemd cannot start the unit at all; undefined if it can. */
export function loadProblem(status: UnitStatus): string | undefined {
  const { id, loadState, mainPid } = status;
  if (loadState === 'loaded') return undefined;
  if (loadState === 'masked') return `${id} is masked`;
  if (loadState !== 'not-found') return `systemd cannot load ${id} (${loadState})`;
  const stands = mainPid > 0 ? `pid ${mainPid} runs` : `it is ${describeState(status)}`;
  return `its unit file is gone: systemd could stop ${id}, but not start it again (${stands})`;
}

/** `active (running)`, `failed (exit-code)`: the state for people. */
export function describeState({ activeState, subState, result }: UnitStatus): string {
  if (activeState === 'failed') return `failed (${result})`;
  return subState === '' || subState === activeState ? activeState : `${activeState} (${subState})`;
}

/** `nginx.service: active (running), main process 4711`: a unit's state before it is stopped. */
export function describeUnit(status: UnitStatus): string {
  return `${status.id}: ${describeState(status)}${status.mainPid > 0 ? `, main process ${status.mainPid}` : ''}`;
}

/** What one look at a unit says about its health. */
type UnitHealth =
  | HealthResult
  /** It runs; a second look must show whether it lasts. */
  | { readonly kind: 'running' }
  /** A one-shot that leaves nothing running and did not fail; whether it ran since the alarm is not known. */
  | { readonly kind: 'assumed' };

/** Judges one look. `broughtUpMs`: when systemd began to start it for us, as UnitStatus.changedMs; undefined if it did not. */
export function unitHealth(status: UnitStatus, broughtUpMs?: number): UnitHealth {
  const { id, type, activeState, result, changedMs } = status;
  if (isUp(status)) return { kind: 'running' };
  if (type === 'oneshot' && activeState === 'inactive' && result === 'success')
    // A unit that nothing needs is unloaded when it is at rest, and its last life is forgotten.
    return { kind: broughtUpMs !== undefined && (changedMs === 0 || changedMs >= broughtUpMs) ? 'healthy' : 'assumed' };
  return { kind: 'unhealthy', reason: `${id} is ${describeState(status)}` };
}
