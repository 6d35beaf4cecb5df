// When systemd will restart a unit by itself, read from its properties.

import { numberOf, type Properties, type PropertyNames, textOf } from '../properties.ts';

/** The properties that `restartDueMs` reads; `readProperties` adds StateChangeTimestampMonotonic. */
export const RESTART_PROPERTIES = {
  Unit: ['ActiveState', 'SubState', 'StateChangeTimestampMonotonic'],
  Service: ['RestartUSec', 'RestartUSecNext'],
} as const satisfies PropertyNames;

/**
 * Returns when systemd will restart the unit by itself (Restart=), in milliseconds of CLOCK_MONOTONIC: Infinity if never,
 * undefined if it does not wait for a restart. A restart that is already queued is due. Since systemd 254 RestartUSecNext holds
 * the delay that results from RestartSec= and RestartSteps=. Source: org.freedesktop.systemd1(5), systemd.service(5).
 */
export function restartDueMs(values: Properties): number | undefined {
  const subState = textOf(values, 'SubState');
  if (textOf(values, 'ActiveState') !== 'activating' || !subState.startsWith('auto-restart')) return undefined;
  const sinceMs = numberOf(values, 'StateChangeTimestampMonotonic') / 1000;
  if (subState !== 'auto-restart') return sinceMs;
  const pause = values.has('RestartUSecNext') ? values.get('RestartUSecNext') : values.get('RestartUSec');
  if (typeof pause !== 'bigint') return sinceMs;
  return pause >= USEC_INFINITY ? Number.POSITIVE_INFINITY : sinceMs + Number(pause) / 1000;
}

/** systemd's `infinity` (systemd.time(7)). */
const USEC_INFINITY = 2n ** 64n - 1n;
