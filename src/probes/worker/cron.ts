// When a schedule is due.
import { Cron } from 'croner';
import { systemClock } from '../../core/clock.ts';
import { TimeZone } from '../../system/files/time-zone.ts';
import type { Answer } from './answer.ts';

/** A schedule whose next time is wanted. */
export interface CronWork {
  readonly type: 'cron';
  /** Five fields, as in crontab(5). */
  readonly schedule: string;
  /** As `Europe/Berlin`; undefined: that of the host. */
  readonly timezone: string | undefined;
  /** In milliseconds since the epoch; the time is later. */
  readonly afterMs: number;
}

const hostZone = new TimeZone(systemClock);

/** When the schedule is due next; without `dueMs` if it never is. */
export function nextTime({ schedule, timezone, afterMs }: CronWork): Answer {
  hostZone.refresh();
  try {
    const cron = new Cron(schedule, { mode: '5-part', ...(timezone !== undefined && { timezone }) });
    const next = cron.nextRun(new Date(afterMs));
    return next === null ? { kind: 'ok' } : { kind: 'ok', dueMs: next.getTime() };
  } catch (error) {
    const why = timezone === undefined ? (error as Error).message : `the time zone ${timezone} is not known here`;
    return { kind: 'unknown', reason: `the schedule cannot be computed: ${why}` };
  }
}
