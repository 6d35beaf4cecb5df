// What a unit executes, read from its properties.

import { numberOf, type Properties, type PropertyNames, textOf } from '../properties.ts';
import type { UnitProgram } from '../service-manager.ts';

/** The properties that `unitProgram` reads. */
export const PROGRAM_PROPERTIES = {
  Unit: ['InactiveExitTimestampMonotonic', 'InactiveEnterTimestampMonotonic', 'SourcePath', 'FragmentPath'],
  Service: ['ExecStart', 'ExecStop', 'ExecMainPID', 'ExecMainExitTimestampMonotonic', 'ControlPID', 'ExitType', 'User'],
} as const satisfies PropertyNames;

/**
 * Reads what a unit executes from its properties. ExecStart is `a(sasbttttuii)`: path and arguments come first. Source:
 * org.freedesktop.systemd1(5).
 */
export function unitProgram(values: Properties): UnitProgram {
  const commands = values.get('ExecStart');
  const stops = values.get('ExecStop');
  const first = Array.isArray(commands) ? commands[0] : undefined;
  const [path, argv] = Array.isArray(first) ? first : [];
  const beganMs = numberOf(values, 'InactiveExitTimestampMonotonic') / 1000;
  const downMs = numberOf(values, 'InactiveEnterTimestampMonotonic') / 1000;
  return {
    path: typeof path === 'string' ? path : '',
    argv: Array.isArray(argv) ? argv.filter((word): word is string => typeof word === 'string') : [],
    user: textOf(values, 'User'),
    ...(numberOf(values, 'ExecMainPID') > 0 && { lastMainPid: numberOf(values, 'ExecMainPID') }),
    ...(numberOf(values, 'ControlPID') > 0 && { controlPid: numberOf(values, 'ControlPID') }),
    ...(textOf(values, 'ExitType') === 'cgroup' && { outlivesMain: true }),
    ...(Array.isArray(stops) && stops.length > 0 && { hasStop: true }),
    beganMs,
    overMs: downMs >= beganMs ? downMs : numberOf(values, 'ExecMainExitTimestampMonotonic') / 1000,
    definedBy: textOf(values, 'SourcePath') || textOf(values, 'FragmentPath'),
  };
}
