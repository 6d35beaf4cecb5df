// The schedule of a check: when it looks.
import { existsSync } from 'node:fs';
import { shownText } from '../../config/shown-value.ts';
import type { Clock } from '../../core/clock.ts';
import type { SectionReader } from '../../core/config.ts';
import type { AsksWorker } from '../../probes/worker/client.ts';

/** When a check looks. */
export interface Schedule {
  /** Five fields, as in crontab(5). */
  readonly text: string;
  /** As `Europe/Berlin`; undefined: that of the host. */
  readonly timezone: string | undefined;
}

/** Reads `schedule` and `timezone`; problems go to the reader. Undefined if there is none, or none that can be used. */
export function parseSchedule(section: SectionReader): Schedule | undefined {
  const text = section.text('schedule');
  const timezone = section.text('timezone');
  if (timezone !== undefined && !(ZONE.test(timezone) && isZone(timezone)))
    section.problem('timezone', `invalid value "${shownText(timezone, LONGEST_SHOWN)}", expected a name such as Europe/Berlin`);
  if (text === undefined) {
    if (timezone !== undefined) section.warning('timezone', 'has no effect without schedule');
    return undefined;
  }
  const fault = faultOf(text);
  if (fault === undefined) return { text, timezone };
  section.problem('schedule', `invalid value "${shownText(text, LONGEST_SHOWN)}", ${fault}`);
  return undefined;
}

/** By the files of the time zones, where there are any: Node's own tables cost megabytes. */
function isZone(name: string): boolean {
  return !existsSync(ZONES) || existsSync(`${ZONES}/${name}`);
}

/** What is wrong with it; undefined if nothing is. Source: crontab(5). */
function faultOf(text: string): string | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS.length)
    return `expected five fields (minute, hour, day, month, day of the week), such as 0 3 * * 1-5`;
  const wrong = FIELDS.findIndex((field, i) => !isField(fields[i] ?? '', field));
  const [what, min, max] = FIELDS[wrong] ?? [];
  return what === undefined ? undefined : `expected ${min} to ${max}, *, ranges, lists or steps as the ${what}`;
}

type Field = (typeof FIELDS)[number];

function isField(text: string, [, min, max, names = []]: Field): boolean {
  return text.split(',').every((part) => {
    const [, first = '', last, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d{1,3}))?$/.exec(part) ?? [];
    if (first === '' || Number(step) === 0 || (first === '*' && last !== undefined)) return false;
    if (first === '*') return true;
    const [from, to] = [first, last ?? first].map((word) => numberOf(word, min, names));
    return from !== undefined && to !== undefined && [from, to].every((value) => value >= min && value <= max) && from <= to;
  });
}

function numberOf(word: string, min: number, names: readonly string[]): number | undefined {
  const named = names.indexOf(word.toLowerCase());
  if (named >= 0) return named + min;
  return /^\d{1,2}$/.test(word) ? Number(word) : undefined;
}

/** How long to wait for the next time of a schedule. */
type Next =
  /** `isDue`: it is over then; else it has to be asked again. */
  | { readonly kind: 'known'; readonly waitMs: number; readonly isDue: boolean }
  | { readonly kind: 'unknown'; readonly reason: string };

/** When a schedule is due. The worker knows the calendars; here there is only a number. */
export class ScheduledTimes {
  readonly #schedule: Schedule;
  readonly #worker: AsksWorker;
  readonly #clock: Clock;
  #lastDueMs = Number.NEGATIVE_INFINITY;

  constructor(schedule: Schedule, worker: AsksWorker, clock: Clock) {
    this.#schedule = schedule;
    this.#worker = worker;
    this.#clock = clock;
  }

  /** How long to wait from now on: at most an hour, because the clock and the time zone may be changed meanwhile. Never rejects. */
  async next(signal: AbortSignal): Promise<Next> {
    const { text: schedule, timezone } = this.#schedule;
    const nowMs = this.#clock.date().getTime();
    // A timer may be a little early: the same time is not due twice.
    const afterMs = this.#lastDueMs - nowMs < EARLY_MS ? Math.max(nowMs, this.#lastDueMs) : nowMs;
    const answer = await this.#worker.ask({ type: 'cron', schedule, timezone, afterMs }, ASK_MS, signal);
    if (answer.kind !== 'ok') return { kind: 'unknown', reason: answer.reason };
    const { dueMs } = answer;
    if (dueMs === undefined) return { kind: 'unknown', reason: 'the schedule is never due' };
    const leftMs = Math.max(dueMs - this.#clock.date().getTime(), 0);
    const isDue = leftMs <= LONGEST_WAIT_MS;
    if (isDue) this.#lastDueMs = dueMs;
    return { kind: 'known', waitMs: Math.min(leftMs, LONGEST_WAIT_MS), isDue };
  }
}

/** After so long the worker is asked again if it could not say. */
export const ASK_AGAIN_MS = 60_000;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** Name, least and most value, and the names of the values. */
const FIELDS: readonly (readonly [name: string, min: number, max: number, names?: readonly string[]])[] = [
  ['minute', 0, 59],
  ['hour', 0, 23],
  ['day', 1, 31],
  ['month', 1, 12, MONTHS],
  ['day of the week', 0, 7, DAYS],
];
const ZONE = /^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+){0,2}$/;
const ZONES = '/usr/share/zoneinfo';
const LONGEST_SHOWN = 60;
const ASK_MS = 10_000;
const EARLY_MS = 1000;
const LONGEST_WAIT_MS = 60 * 60 * 1000;
