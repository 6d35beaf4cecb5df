import type { UnitStatus } from '../service-manager.ts';

// What the states of a unit come to. Source: org.freedesktop.systemd1(5), `ActiveState`.

type ActiveState = Pick<UnitStatus, 'activeState'>;

/** Active, or reloading, which is active with a job: what `systemctl is-active` says. */
export function isUp(status: ActiveState): boolean {
  return status.activeState === 'active' || isReloading(status);
}

/** Active, and its reload is under way. */
export function isReloading({ activeState }: ActiveState): boolean {
  return activeState === 'reloading' || activeState === 'refreshing';
}

/** Inactive or failed, whatever job it has. */
export function isDown({ activeState }: ActiveState): boolean {
  return activeState === 'inactive' || activeState === 'failed';
}
