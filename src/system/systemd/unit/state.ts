// What the states of a unit mean. Source: org.freedesktop.systemd1(5), `ActiveState`.

import type { UnitStatus } from '../service-manager.ts';

type ActiveState = Pick<UnitStatus, 'activeState'>;

/** True if the unit is active, or reloading, which is active with a job: as `systemctl is-active` says. */
export function isUp(status: ActiveState): boolean {
  return status.activeState === 'active' || isReloading(status);
}

/** True if the unit is active and its reload is under way. */
export function isReloading({ activeState }: ActiveState): boolean {
  return activeState === 'reloading' || activeState === 'refreshing';
}

/** True if the unit is inactive or failed, whatever job it has. */
export function isDown({ activeState }: ActiveState): boolean {
  return activeState === 'inactive' || activeState === 'failed';
}
