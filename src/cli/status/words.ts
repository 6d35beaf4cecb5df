import type { AlarmRow, HoldStatus, ProcessStatus, RecoveryRecord } from '../../control/status.ts';
import { holdWords } from '../../core/hold-words.ts';
import { counted } from '../../core/text/counted.ts';
import { printable, quoted } from '../../core/text/printable.ts';
import { formatDuration } from '../terminal/duration.ts';
import { localTime, roughlySince, since } from '../terminal/local-time.ts';
import type { Style } from '../terminal/output.ts';
import type { Cell } from '../terminal/table.ts';

/**
 * A process's name, printable; quoted if blanks would make its ends unclear, or would look like those between columns, or if it has
 * characters that cannot be seen: else it could pass for another name.
 */
export function shownName(name: string): string {
  const seen = printable(name);
  return seen === name && seen.trim() === seen && seen !== '' && !seen.includes('  ') ? seen : quoted(name);
}

/** Whether it is in alarm, in one word; "not known" is never shown as "no". */
export function alarmCell({ inAlarm, alarmKept }: Pick<ProcessStatus, 'inAlarm' | 'alarmKept'>): Cell {
  if (alarmKept) return { text: 'kept', style: 'red' };
  if (inAlarm === null) return { text: 'unknown', style: 'yellow' };
  return inAlarm ? { text: 'yes', style: 'red' } : { text: 'no' };
}

/** What is known about a row: that it is in alarm, or not; or that it was when it was last read. */
export type RowKnown =
  | 'in alarm'
  | 'not in alarm'
  | 'may be in alarm: alarma or sound is not a number'
  | { readonly readAt: string };

/** How times are shown: how long ago, or also when exactly. */
type TimeForm = 'ago' | 'exact';

/** A row of a process, or its kept alarm, with the time since when it has been in alarm, and its notes. */
export function rowWords(row: AlarmRow, known: RowKnown, now: Date, form: TimeForm = 'ago'): string {
  const { processId, since: began, acknowledged } = row;
  const notes = row.notes === null || row.notes === '' ? '' : `: ${row.notes}`;
  const long = began === null ? '' : ` for ${since(began, now)}${form === 'exact' ? `, since ${localTime(began)}` : ''}`;
  if (processId === null) return `stored locally${long} (the store did not take it)${notes}`;
  if (typeof known === 'object') return `process_id ${processId} was in alarm ${since(known.readAt, now)} ago${notes}`;
  const sound = acknowledged ? ', acknowledged (sound = 1) and left alone' : '';
  return `process_id ${processId} ${known}${known === 'in alarm' ? long : ''}${sound}${notes}`;
}

/** A circuit breaker, with what comes next. */
export function breakerCell({ state, failures, remainingMs }: ProcessStatus['breaker']): Cell {
  switch (state) {
    case 'closed':
      return failures === 0 ? { text: 'closed' } : { text: `closed, ${failures} failed`, style: 'yellow' };
    case 'open':
      return { text: remainingMs > 0 ? `open, ${formatDuration(remainingMs)} left` : 'open, one try next', style: 'red' };
    case 'half_open':
      return { text: 'half-open', style: 'yellow' };
    default:
      return state satisfies never;
  }
}

/** The same with the failures that it has counted. */
export function breakerWords(breaker: ProcessStatus['breaker']): Cell {
  const { text, style } = breakerCell(breaker);
  if (breaker.state === 'closed' || breaker.failures === 0) return { text, style };
  return { text: `${text}, ${counted(breaker.failures, 'failure', 'failures')}`, style };
}

/** The same in one word. */
export function breakerWord(breaker: ProcessStatus['breaker']): Cell {
  return { text: breaker.state === 'half_open' ? 'half-open' : breaker.state, style: breakerCell(breaker).style };
}

/** How long it has been running, or `down`, red if that is a fault; `unknown` if not known, `-` if it is not watched. */
export function upCell(process: ProcessStatus, now: Date): Cell {
  const { watched } = process;
  if (watched === null) return { text: '-' };
  if (watched.runs === null) return { text: 'unknown', style: 'yellow' };
  if (!watched.runs) return { text: 'down', style: isDown(process) ? 'red' : undefined };
  return { text: watched.since === null ? 'up' : printable(roughlySince(watched.since, now)) };
}

/** True if it is watched and does not run, and is not stopped on purpose, on hold, or being restarted. */
export function isDown({ state, watched }: ProcessStatus): boolean {
  return watched?.runs === false && !watched.stopped && state !== 'held' && state !== 'recovering';
}

/** How it last ended. */
export function lastExitWords(
  { at, cause, expected, uptimeMs }: NonNullable<NonNullable<ProcessStatus['watched']>['lastExit']>,
  now: Date,
  form: TimeForm = 'ago',
): string {
  const exact = form === 'exact' ? `${localTime(at)}, ` : '';
  return `${cause}${expected ? ' (no alarm)' : ''}, ${exact}${since(at, now)} ago, after ${formatDuration(uptimeMs)}`;
}

/** How a recovery ended. */
export const outcomeWords = { recovered: 'recovered', failed: 'failed', not_proved: 'not proved' } as const satisfies Record<
  RecoveryRecord['outcome'],
  string
>;
/** The colour of each outcome; undefined: none. */
export const outcomeColours = { recovered: undefined, failed: 'red', not_proved: 'yellow' } as const satisfies Record<
  RecoveryRecord['outcome'],
  Style | undefined
>;

/** How its last recovery ended, and about when. */
export function lastRecoveryCell(last: ProcessStatus['lastRecovery'], now: Date): Cell {
  if (last === null) return { text: '-' };
  return {
    text: printable(`${outcomeWords[last.outcome]} ${roughlySince(last.at, now)} ago`),
    style: outcomeColours[last.outcome],
  };
}

/** Until when a hold lasts, and why. */
export function heldWords({ until, ...hold }: HoldStatus, now: Date): string {
  return holdWords({ ...hold, until: until === null ? null : new Date(until) }, now);
}

/**
 * Why a restart would not help: `reason` prevents it; or, if it is among the `failures`, the restart would be tried and fail.
 */
export function refusalWords(reason: string, failures: readonly string[] = []): string {
  return `${failures.includes(reason) ? 'would fail' : 'refused'}: ${reason}`;
}
