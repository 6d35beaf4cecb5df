// The story of an incident, in at most 60 lines.
import type { HistoryRecord } from '../../control/orders/history.ts';
import type { Story } from '../../control/orders/why.ts';
import { localTimestamp } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { withoutLines } from '../../core/text/last-lines.ts';
import { nameWords } from '../../core/text/printable.ts';
import { formatDuration } from '../terminal/duration.ts';
import { localTime } from '../terminal/local-time.ts';
import { eventWords } from './event-words.ts';

/** The lines for people; the last one says what to do next. */
export function storyLines(name: string, { incident, events, leftOut }: Story, now: Date): string[] {
  if (incident === null)
    return [`no incident of ${nameWords(name)} is remembered; monitor_service history ${nameWords(name)} shows what happened`];
  const others = incident.names.filter((each) => each !== incident.name).map(nameWords);
  const ended = incident.closedAt === null ? now : new Date(incident.closedAt);
  const lasted = formatDuration(Math.max(0, ended.getTime() - Date.parse(incident.openedAt)));
  const state = incident.closedAt === null ? `open for ${lasted}` : `over after ${lasted}`;
  const head = [
    `${nameWords(incident.name)}: incident ${incident.id}, ${localTime(incident.openedAt)}, ${state}`,
    ...(others.length === 0 ? [] : [`also for ${others.slice(0, MOST_NAMES).join(', ')}${more(others.length - MOST_NAMES)}`]),
    `first sign: ${SIGNS[incident.by] ?? incident.by}`,
  ];
  const lines = withoutRepeats(events).map((event) => eventLines(event, incident.name));
  const room = MOST_LINES - head.length - 1;
  return [...head, ...fitting(lines, room, leftOut), nextStep(name, incident, events)];
}

const MOST_LINES = 60;
const MOST_NAMES = 5;
/** Output of one command takes no more of the story. */
const MOST_OUTPUT = 8;
const LONGEST = 400;

const SIGNS: Readonly<Record<string, string>> = {
  exit: 'the process has ended',
  operator: 'an alarm that an operator raised',
  outside: 'an alarm that was raised in the alarm store',
};

function more(count: number): string {
  return count > 0 ? ` and ${count} more` : '';
}

/**
 * The events without what was said just before: a failure repeats the last lines of its command, and why the last attempt failed is why the
 * recovery failed.
 */
function withoutRepeats(events: readonly HistoryRecord[]): HistoryRecord[] {
  let output = '';
  let reason = '';
  return events.map((event) => {
    const lines = event.output.join('\n');
    // A failure has fewer of the lines than the event of their own.
    const isKnown = event.type !== 'command_output' && lines !== '' && output.endsWith(lines);
    if (lines !== '' && !isKnown) output = lines;
    const detail = withoutLines(event.detail, event.output);
    const why = detail.replace(/^attempt \d+: /, '');
    const isSame = event.type === 'recovery_failed' && why === reason;
    if (event.type === 'attempt_failed') reason = why;
    return { ...event, detail: isSame ? '' : detail, output: isKnown ? [] : event.output };
  });
}

function eventLines(event: HistoryRecord, leader: string): string[] {
  const whose = event.name === leader ? '' : `${nameWords(event.name)}: `;
  const line = `${localTimestamp(new Date(event.at))}  ${whose}${eventWords(event)}`;
  return [cut(line), ...event.output.slice(-MOST_OUTPUT).map((text) => cut(`${' '.repeat(TIME_WIDTH)}  | ${text}`))];
}

const TIME_WIDTH = 19;

function cut(line: string): string {
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}

/** The events from both ends, as whole as there is room for. */
function fitting(events: readonly (readonly string[])[], room: number, leftOut: number): string[] {
  const all = events.flat();
  if (all.length <= room && leftOut === 0) return all;
  const half = Math.floor((room - 1) / 2);
  const first: string[] = [];
  let from = 0;
  while (from < events.length && first.length + (events[from]?.length ?? 0) <= half) first.push(...(events[from++] ?? []));
  const last: string[] = [];
  let to = events.length;
  while (to > from && last.length + (events[to - 1]?.length ?? 0) <= half) last.unshift(...(events[--to] ?? []));
  const missing = leftOut + to - from;
  return [...first, `… ${counted(missing, 'event is', 'events are')} left out; monitor_service history shows them …`, ...last];
}

/** What to do next, or that nothing has to be done. */
function nextStep(name: string, { how }: NonNullable<Story['incident']>, events: readonly HistoryRecord[]): string {
  switch (how) {
    case 'cleared':
      return 'It was healed, and its alarm was cleared: nothing has to be done.';
    case 'over':
      return 'Others have ended the alarm: nothing has to be done.';
    case 'runs':
      return 'It runs again: nothing has to be done.';
    case 'ok':
      return 'The check passes again: nothing has to be done.';
    case 'unwatched':
      return 'It is not watched any more.';
    case null:
      return openStep(name, events);
    default:
      return `It ended: ${how}.`;
  }
}

function openStep(name: string, events: readonly HistoryRecord[]): string {
  const last = events.findLast(({ type }) => DECISIVE.includes(type));
  const quotedName = nameWords(name);
  switch (last?.type) {
    case 'breaker_opened':
      return `It is not restarted any more for now: correct the cause, then run monitor_service breaker ${quotedName} --reset.`;
    case 'recovery_skipped':
      // What opened the breaker came before.
      if (last.detail === BREAKER_OPEN) return openStep(name, events.slice(0, events.lastIndexOf(last)));
      return last.detail.includes('on hold')
        ? `It is on hold: monitor_service release ${quotedName} ends that.`
        : `It is not restarted: ${last.detail}. See monitor_service status ${quotedName}.`;
    case 'recovery_failed':
    case 'attempt_failed':
      return `It is tried again; monitor_service status ${quotedName} says when. Correct the cause above.`;
    case 'recovery_unproved':
      return `It was restarted; correct why its health is not known: monitor_service status ${quotedName}.`;
    case 'recovery_succeeded':
      return `It was healed, and its alarm is still to be cleared: monitor_service status ${quotedName}.`;
    case undefined:
      return `Nothing has been tried yet: monitor_service status ${quotedName} says why.`;
    default:
      return 'A recovery is under way: nothing has to be done now.';
  }
}

/** The reason of monitor/breaker/breakers.ts. */
const BREAKER_OPEN = 'circuit breaker open';

/** The events after which it is clear what comes next. */
const DECISIVE: readonly string[] = [
  'recovery_started',
  'attempt_failed',
  'attempt_restarted',
  'recovery_succeeded',
  'recovery_failed',
  'recovery_unproved',
  'recovery_skipped',
  'breaker_opened',
  'breaker_half_opened',
  'breaker_closed',
];
