// How a unit ended, read from its properties.

import { numberOf, type Properties, type PropertyNames, textsOf } from '../properties.ts';
import type { UnitEnd } from '../service-manager.ts';
import { STATUS_PROPERTIES, unitStatus } from './status.ts';

/** The properties that name units whose stop or end stops this one too. Source: systemd.unit(5). */
const STOPPED_WITH = ['BindsTo', 'Requires', 'Requisite', 'PartOf', 'StopPropagatedFrom'] as const;

/** The properties that `unitEnd` reads. An older systemd does not have all of them. */
export const END_PROPERTIES = {
  Unit: [...STATUS_PROPERTIES.Unit, 'InactiveEnterTimestampMonotonic', 'InactiveExitTimestampMonotonic', ...STOPPED_WITH],
  Service: [...STATUS_PROPERTIES.Service, 'ExecMainPID'],
} as const satisfies PropertyNames;

/** Reads a unit's status, and how it reached it, from its properties. */
export function unitEnd(
  values: Properties,
): { readonly kind: 'known'; readonly end: Omit<UnitEnd, 'seen'> } | { readonly kind: 'failed'; readonly reason: string } {
  const shown = unitStatus(values);
  if (shown.kind === 'failed') return shown;
  const leftActiveMs = numberOf(values, 'ActiveExitTimestampMonotonic') / 1000;
  return {
    kind: 'known',
    end: {
      status: shown.status,
      leftActiveMs,
      wentMs: Math.max(leftActiveMs, numberOf(values, 'InactiveEnterTimestampMonotonic') / 1000),
      triedSince: leftActiveMs > 0 && numberOf(values, 'InactiveExitTimestampMonotonic') / 1000 > leftActiveMs,
      hadMain: numberOf(values, 'ExecMainPID') > 0,
      stoppedWith: [...new Set(STOPPED_WITH.flatMap((name) => textsOf(values, name)))],
    },
  };
}
