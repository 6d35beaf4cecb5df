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
export function storyLines(name: string, story: Story, now: Date): string[] {
  const { incident, events, leftOut } = story;
  if (incident === null)
    return [`no incident of ${nameWords(name)} is remembered; monitor_service history ${nameWords(name)} shows what happened`];
  const others = incident.names.filter((each) => each !== incident.name).map(nameWords);
  const ended = incident.closedAt === null ? now : new Date(incident.closedAt);
  const lasted = formatDuration(Math.max(0, ended.getTime() - Date.parse(incident.openedAt)));
  const state = incident.closedAt === null ? `open for ${lasted}` : `over after ${lasted}`;
  const head = [
    `${nameWords(incident.name)}: incident ${incident.id}, ${localTime(incident.openedAt)}, ${state}`,
    ...(others.length === 0 ? [] : [`also for ${others.slice(0, MOST_NAMES).join(', ')}${more(others.length - MOST_NAMES)}`]),
    `first sign: ${SIGNS[incident.by] ?? `the ${incident.by}`}`,
  ];
  const lines = withoutRepeats(events).map((event) => eventLines(event, incident.name));
  const end = incident.closedAt === null || incident.how === null ? undefined : ENDS[incident.how];
  if (end !== undefined) lines.push([`${localTimestamp(ended)}  ${end}`]);
  const room = MOST_LINES - head.length - 1;
  return [...head, ...fitting(lines, room, leftOut), nextStep(name, story)];
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

/** What to do next, or that nothing has to be done: what the process is now counts, whatever happened last. */
function nextStep(name: string, { incident, events, state, reason, daemonRuns }: Story): string {
  const shown = nameWords(name);
  if (!daemonRuns) return 'The daemon does not run: nothing is restarted until it is started.';
  switch (state) {
    case 'open':
      return `Its circuit breaker is open: correct the cause, then run monitor_service breaker ${shown} --reset.`;
    case 'observed':
      return 'It is in alarm, and mode = observe restarts nothing: restart it yourself, or set mode = act.';
    case 'recovering':
      return 'A recovery is under way: nothing has to be done now.';
    case 'ok':
    case 'quiet':
      if (incident?.closedAt === null && events.some(({ type }) => type === 'check_changed'))
        return 'It is not in alarm now, but a check is not ok; monitor_service check says what it finds.';
      // If a check was its first sign, the incident ends with that.
      return incident?.how === 'cleared' || (incident?.how === 'ok' && events.some(({ type }) => type === 'alarm_cleared'))
        ? 'It was healed: nothing has to be done.'
        : 'It is not in alarm now: nothing has to be done.';
    case 'refused':
    case 'held':
    case 'waiting':
    case 'alarm':
    case 'failed':
    case 'down':
    case 'unknown':
      return `State ${state}${reason === null ? '' : ` (${cut(reason)})`}; monitor_service status ${shown} says more.`;
    default:
      return state satisfies never;
  }
}

/** How an incident ended, for which no event is recorded. */
const ENDS: Readonly<Record<string, string>> = {
  over: 'the alarm was ended or acknowledged, not by the daemon',
  runs: 'the process runs again',
  unwatched: 'it is not watched any more: its section was removed, switched off or changed',
};
