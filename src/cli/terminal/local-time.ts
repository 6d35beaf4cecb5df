import { zonedTimestamp } from '../../core/clock.ts';
import { formatDuration } from './duration.ts';

/** A time from the daemon as local time with offset from UTC, `2026-11-26 22:08:07 +0100`; unchanged if it is not a time. */
export function localTime(time: string | Date): string {
  const date = new Date(time);
  return Number.isFinite(date.getTime()) ? zonedTimestamp(date) : String(time);
}

/** How long before `now` a time from the daemon was, in words; unchanged if it is not a time. */
export function since(time: string, now: Date): string {
  const ms = now.getTime() - Date.parse(time);
  return Number.isFinite(ms) ? formatDuration(Math.max(0, ms)) : time;
}

/** Like `since`, but only the largest unit, rounded down: for the columns of a table. */
export function roughlySince(time: string, now: Date): string {
  return Number.isFinite(Date.parse(time)) ? since(time, now).replace(/^(\d+ \S+) .*$/, '$1') : time;
}
