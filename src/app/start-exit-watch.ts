import { serviceName } from '../strategies/unit/name-policy.ts';
import type { ProcessEventSource } from '../system/process-events/source.ts';
import type { Core } from './app.ts';

/** Starts to watch the processes with `watch_exit`. `source`: the daemon's process events; undefined if there are none. */
export function startExitWatch(
  {
    alarms,
    exitCounts,
    exits,
    handler,
    kept,
    monitor,
  }: Pick<Core, 'alarms' | 'exitCounts' | 'exits' | 'handler' | 'kept' | 'monitor'>,
  source: ProcessEventSource | undefined,
): void {
  exits.start({
    source,
    raiser: alarms,
    exits: exitCounts,
    isRecovering: (name, target) => handler.isRecovering(name, target),
    isUnitRecovering: (unit) => handler.isRecovering(unit, serviceName(unit)),
    // From the last poll or the kept alarms; false also if that is not known.
    isInAlarm: (name) => {
      const { availability } = monitor;
      const rows = availability.state === 'ok' ? availability.alarms : [];
      return kept.alarm(name) !== undefined || rows.some(({ processName }) => processName === name);
    },
  });
}
