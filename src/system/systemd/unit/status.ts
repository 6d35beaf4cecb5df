// The status of a unit, read from its properties.

import { activeStateOf, CHANGED, hasJob, numberOf, type Properties, type PropertyNames, textOf } from '../properties.ts';
import type { UnitStatus } from '../service-manager.ts';

/** The properties that `unitStatus` reads. */
export const STATUS_PROPERTIES = {
  // Timestamps in microseconds: when the unit left `active`; when the last main process began and ended.
  Unit: ['Id', 'LoadState', 'ActiveState', 'SubState', 'Job', 'ActiveExitTimestampMonotonic'],
  Service: [
    'Result',
    'MainPID',
    'Type',
    'ControlGroup',
    'RemainAfterExit',
    'ExecMainStartTimestampMonotonic',
    'ExecMainExitTimestampMonotonic',
  ],
} as const satisfies PropertyNames;

/** Reads the status of a unit from its properties. Source: org.freedesktop.systemd1(5). */
export function unitStatus(
  values: Properties,
): { readonly kind: 'status'; readonly status: UnitStatus } | { readonly kind: 'failed'; readonly reason: string } {
  const [id, loadState] = ['Id', 'LoadState'].map((name) => textOf(values, name));
  const activeState = activeStateOf(values);
  if (!id || !loadState || !activeState) return { kind: 'failed', reason: 'systemd did not report the state of the unit' };
  const leftActive = numberOf(values, 'ActiveExitTimestampMonotonic');
  return {
    kind: 'status',
    status: {
      id,
      loadState,
      activeState,
      subState: textOf(values, 'SubState'),
      // Only services have these two.
      result: textOf(values, 'Result'),
      mainPid: numberOf(values, 'MainPID'),
      type: textOf(values, 'Type'),
      controlGroup: textOf(values, 'ControlGroup'),
      hasJob: hasJob(values),
      endedByStop:
        numberOf(values, 'ExecMainStartTimestampMonotonic') <= leftActive &&
        leftActive < numberOf(values, 'ExecMainExitTimestampMonotonic'),
      remainsAfterExit: values.get('RemainAfterExit') === true,
      changedMs: numberOf(values, CHANGED) / 1000,
    },
  };
}
