// What the status says about the alarms of a process.
import type { AlarmRow, ProcessStatus } from '../control/status.ts';
import type { Alarm } from '../core/alarm.ts';
import type { Skip } from '../monitor/alarms/book.ts';
import { breakerOpen } from '../monitor/breaker/breakers.ts';
import type { StoreAvailability } from '../monitor/poll/store-watch.ts';
import { notProved } from '../monitor/recovery/outcome.ts';
import type { Core } from './app.ts';
import { whyLeftAlone } from './known-names.ts';

/** What is known about the store, and the configuration. */
interface AlarmSources extends Pick<Core, 'settings'> {
  /** Monitor.availability, taken once for all processes of an answer: each time it is computed from up to 10,000 alarms. */
  readonly availability: StoreAvailability;
}

/**
 * Whether a process is in alarm, and if not known, why. `alarms`: its own, as last read; they count no longer once the store
 * does not answer.
 */
export function alarmKnown(
  { settings, availability }: AlarmSources,
  name: string,
  alarms: readonly Alarm[],
): { readonly inAlarm: ProcessStatus['inAlarm']; readonly alarmUnknown: string | undefined } {
  if (alarms.some(({ source }) => source === 'kept')) return { inAlarm: true, alarmUnknown: undefined };
  switch (availability.state) {
    case 'starting':
      return { inAlarm: null, alarmUnknown: 'the alarm store has not been read yet' };
    case 'unknown': {
      const then = `${alarms.length > 0 ? 'in' : 'not in'} alarm when the alarm store was read last`;
      return {
        inAlarm: null,
        alarmUnknown: availability.lastPollAt === undefined ? 'the alarm store could not be read' : then,
      };
    }
    case 'ok': {
      if (alarms.length > 0) return { inAlarm: true, alarmUnknown: undefined };
      if (availability.doubtful.includes(name))
        return {
          inAlarm: null,
          alarmUnknown: 'its row is in doubt: one of its flags is not a number, or other rows share its process_id',
        };
      if (availability.leftOut === 0 || isReadFirst(availability, settings(), name))
        return { inAlarm: false, alarmUnknown: undefined };
      return { inAlarm: null, alarmUnknown: 'more rows are in alarm than are read at once' };
    }
    default:
      return availability satisfies never;
  }
}

/**
 * True if its rows would be among those that were read: names with a section come first, and the others did not fill the limit.
 */
function isReadFirst(
  { alarms }: Pick<StoreAvailability & { state: 'ok' }, 'alarms'>,
  { processNames }: Pick<ReturnType<Core['settings']>, 'processNames'>,
  name: string,
): boolean {
  if (!processNames.includes(name)) return false;
  return alarms.some(({ processName }) => processName === null || !processNames.includes(processName));
}

/** One alarm as the status shows it. */
export function alarmRow({ book, state }: Pick<Core, 'book' | 'state'>, alarm: Alarm): AlarmRow {
  const isKept = alarm.source === 'kept';
  const since = isKept ? state.kept.get(alarm.processName)?.raisedAt : book.get(alarm.key)?.seenAt;
  return {
    processId: isKept ? null : alarm.processId,
    notes: alarm.notes,
    since: since?.toISOString() ?? null,
    acknowledged: !isKept && alarm.sound,
  };
}

/** What has happened to the alarms so far, from the first alarm that gives a reason. */
export function alarmReason(
  core: Pick<Core, 'book' | 'plans' | 'settings' | 'state'>,
  name: string,
  alarms: readonly Alarm[],
): string | undefined {
  const { book, state } = core;
  for (const alarm of alarms) {
    if (alarm.source === 'store' && state.handled.get(alarm.processId) !== undefined) return 'healed, not cleared';
    const skipped = book.get(alarm.key)?.skip?.reason;
    if (skipped !== undefined && skipped !== breakerOpen) return skipped;
    const unproved = state.unproved.get(alarm.key)?.reason;
    if (unproved !== undefined) return notProved(unproved);
  }
  const leftAlone = alarms.length > 0 ? whyLeftAlone(core, name) : undefined;
  return leftAlone && `left alone: ${leftAlone}`;
}

/** The skip reason of the first alarm that was skipped for `kind`; undefined if none was. */
export function skipOf({ book }: Pick<Core, 'book'>, alarms: readonly Alarm[], kind: Skip['kind']): string | undefined {
  const skips = alarms.map(({ key }) => book.get(key)?.skip);
  return skips.find((skip) => skip?.kind === kind)?.reason;
}
