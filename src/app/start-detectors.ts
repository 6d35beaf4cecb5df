// Starts what raises alarms.
import { serviceName } from '../strategies/unit/name-policy.ts';
import type { ProcessEventSource } from '../system/process-events/source.ts';
import type { Core } from './app.ts';

/** What raises alarms, and what it asks. */
type DetectorSources = Pick<Core, 'alarms' | 'checks' | 'exitCounts' | 'exits' | 'handler' | 'kept' | 'monitor' | 'targets'>;

/**
 * Starts to watch the processes with `watch_exit`, and the checks. `source`: the daemon's process events; undefined if there are none.
 */
export function startDetectors(core: DetectorSources, source: ProcessEventSource | undefined): void {
  const { alarms, checks, exitCounts, exits, handler, kept, monitor, targets } = core;
  // From the last poll or the kept alarms; false also if that is not known.
  const isInAlarm = (name: string): boolean => {
    const { availability } = monitor;
    const rows = availability.state === 'ok' ? availability.alarms : [];
    return kept.alarm(name) !== undefined || rows.some(({ processName }) => processName === name);
  };
  exits.start({
    source,
    raiser: alarms,
    exits: exitCounts,
    isRecovering: (name, target) => handler.isRecovering(name, target),
    isUnitRecovering: (unit) => handler.isRecovering(unit, serviceName(unit)),
    isInAlarm,
    onRuns: (name, agoMs) => checks.seen(name, agoMs),
  });
  checks.start({
    raiser: alarms,
    isRecovering: (name) => handler.isRecovering(name, targets.known(name)?.key ?? name),
    isInAlarm,
  });
}
