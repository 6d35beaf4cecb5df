import type { HealthResult } from '../../core/outcomes.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import { isDown, isUp } from '../../system/systemd/unit/state.ts';

/**
 * What brings a unit up from where it stands. `wait`: systemd is to restart it by itself, and if that is soon, to restart on top would
 * only make it two. A unit that is starting is not restarted at once: `start` waits for the job that is under way, for a database that
 * replays its log must be let.
 */
type UnitStep = 'wait' | 'start' | 'restart';

/** The step that fits `status`. Source: org.freedesktop.systemd1(5), service_start() of systemd. */
export function nextStep(status: UnitStatus): UnitStep {
  if (isRestartedBySystemd(status)) return 'wait';
  return isUp(status) ? 'restart' : 'start';
}

/** Down, or going down: nothing of it is stopped by a stop or a restart. */
export function isAtRest(status: UnitStatus): boolean {
  return isDown(status) || status.activeState === 'deactivating';
}

/** Under way to somewhere, or about to be: starting, stopping, or down with a job that has not begun. */
export function hangs(status: UnitStatus): boolean {
  return ['activating', 'deactivating'].includes(status.activeState) || (isDown(status) && status.hasJob);
}

/** True between a crash and the restart that `Restart=` asks for. */
export function isRestartedBySystemd({ activeState, subState }: UnitStatus): boolean {
  return activeState === 'activating' && subState.startsWith('auto-restart');
}

/** True where its last life ended by itself, and badly. */
export function hasCrashed(status: UnitStatus): boolean {
  return status.activeState === 'failed' || isRestartedBySystemd(status);
}

/** True where systemd refuses to start the unit until `reset-failed`, or may do so: a failed unit does not always say why. */
export function needsReset({ activeState, result }: UnitStatus): boolean {
  return activeState === 'failed' || result === 'start-limit-hit';
}

/** True where there is no such unit: one whose file is gone is there as long as it runs, as after the removal of its package. */
export function isAbsent(status: UnitStatus): boolean {
  return status.loadState === 'not-found' && isDown(status);
}

/** Why systemd cannot start the unit at all; undefined where it can. */
export function loadProblem(status: UnitStatus): string | undefined {
  const { id, loadState, mainPid } = status;
  if (loadState === 'loaded') return undefined;
  if (loadState === 'masked') return `${id} is masked`;
  if (loadState !== 'not-found') return `systemd cannot load ${id} (${loadState})`;
  const stands = mainPid > 0 ? `pid ${mainPid} runs` : `it is ${describeState(status)}`;
  return `its unit file is gone: systemd could stop ${id}, but not start it again (${stands})`;
}

/** `active (running)`, `failed (exit-code)`: what people read. */
export function describeState({ activeState, subState, result }: UnitStatus): string {
  if (activeState === 'failed') return `failed (${result})`;
  return subState === '' || subState === activeState ? activeState : `${activeState} (${subState})`;
}

/** `nginx.service: active (running), main process 4711`: a unit as it stands before it is stopped. */
export function describeUnit(status: UnitStatus): string {
  return `${status.id}: ${describeState(status)}${status.mainPid > 0 ? `, main process ${status.mainPid}` : ''}`;
}

/** What one look at a unit says of its health. */
type UnitHealth =
  | HealthResult
  /** It runs; whether it lasts, a second look must tell. */
  | { readonly kind: 'running' }
  /** A one-shot that leaves nothing behind and did not fail; whether it ran since the alarm is not known. */
  | { readonly kind: 'assumed' };

/** Judges one look. `broughtUpMs`: when systemd began to bring it up for us, as UnitStatus.changedMs; undefined if it did not. */
export function unitHealth(status: UnitStatus, broughtUpMs?: number): UnitHealth {
  const { id, type, activeState, result, changedMs } = status;
  if (isUp(status)) return { kind: 'running' };
  if (type === 'oneshot' && activeState === 'inactive' && result === 'success')
    // A unit that nothing needs is unloaded when it is at rest, and knows nothing of its last life any more.
    return { kind: broughtUpMs !== undefined && (changedMs === 0 || changedMs >= broughtUpMs) ? 'healthy' : 'assumed' };
  return { kind: 'unhealthy', reason: `${id} is ${describeState(status)}` };
}
