import type { DaemonStatus, EventStreamStatus, HoldStatus, ProcessStatus } from '../control/orders.ts';
import { localTimestamp } from '../core/clock.ts';
import { counted } from '../core/counted.ts';
import { printable } from '../core/printable.ts';
import { ellipsize } from './display-width.ts';
import { formatDuration } from './duration.ts';
import { paint, type Style } from './output.ts';
import { type Cell, renderTable, type TableOptions } from './table.ts';

/** A status as lines for people, at the time `now`; printable. */
export function renderStatus(status: DaemonStatus, now: Date, options: TableOptions): string[] {
  const facts: Fact[] = [
    ['configuration', status.configFile, undefined],
    ['alarm store', storeWords(status.store, now), status.store.state === 'ok' ? undefined : 'yellow'],
    ...(status.store.remarks ?? []).map((remark): Fact => ['remark', remark, 'yellow']),
    ['recovering', String(status.recovering), undefined],
    ...(status.systemd ? [systemdFact(status.systemd)] : []),
    ...(status.events ? [eventFact(status.events)] : []),
    ...(status.exitWatch ? [['watch_exit', status.exitWatch, undefined] satisfies Fact] : []),
    ...status.holds.map((hold): Fact => ['on hold', holdWords(hold, now), 'yellow']),
  ];
  const lines = facts.map(([name, text, style]) => {
    const words = ellipsize(printable(text), Math.max(1, (options.width ?? Number.MAX_SAFE_INTEGER) - NAME_WIDTH));
    return `${name.padEnd(NAME_WIDTH)}${paint(style, words, options.colour)}`;
  });
  const table =
    status.processes.length === 0 ? ['no processes configured or in alarm'] : processTable(status.processes, now, options);
  return [
    paint('bold', ellipsize(headline(status, now), options.width ?? Number.MAX_SAFE_INTEGER), options.colour),
    ...lines,
    '',
    ...table,
    ...concernLines(status.processes, options),
  ];
}

/** Name, words and style of a line. */
type Fact = [string, string, Style | undefined];

const NAME_WIDTH = 15;

function headline({ version, host, pid, startedAt, mode }: DaemonStatus, now: Date): string {
  const who = `monitor_service ${version}${host === undefined ? '' : ` on ${host}`}`;
  const how = mode === 'observe' ? ', mode observe: nothing is restarted' : '';
  if (pid === 0) return printable(`${who}: no daemon runs${how}`);
  const up = startedAt === null ? '' : `, up ${since(startedAt, now)}`;
  return printable(`${who}, pid ${pid}${up}${how}`);
}

function storeWords(store: DaemonStatus['store'], now: Date): string {
  switch (store.state) {
    case 'ok':
      return `${store.description}: ${store.alarms ?? 0} in alarm${store.leftOut ? ` and ${store.leftOut} more that are not shown` : ''}${store.lastPollAt === null ? '' : `, read ${since(store.lastPollAt, now)} ago`}`;
    case 'unknown':
      return `${store.description}: alarms unknown${store.since === null ? '' : ` for ${since(store.since, now)}`}${store.reason === null ? '' : ` (${store.reason})`}`;
    case 'starting':
      return `${store.description}: not read yet`;
    default:
      return store.state satisfies never;
  }
}

function holdWords({ name, until, reason, strict }: HoldStatus, now: Date): string {
  const end =
    until === null ? 'until released' : `until ${localTime(until)} (${formatDuration(Date.parse(until) - now.getTime())})`;
  return `${name === '*' ? 'all processes' : name}${strict ? ' (strict)' : ''} ${end}${reason === '' ? '' : `: ${reason}`}`;
}

function systemdFact({ connection, problem, units, unheard }: NonNullable<DaemonStatus['systemd']>): Fact {
  const way = connection === null ? 'not asked yet' : connection === 'private' ? 'by its own socket' : 'by the system bus';
  const few = unheard === 0 ? '' : ` (${unheard} by looks: it takes no more rules)`;
  const heard = {
    bus: `, watched units by the system bus${few}`,
    looks: ', watched units by looks: the system bus is away',
  };
  const style = problem === null && units !== 'looks' ? undefined : 'yellow';
  return ['systemd', `${problem?.replace(/^systemd /, '') ?? way}${units === null ? '' : heard[units]}`, style];
}

function eventFact({
  state,
  reason,
  clients,
  lost,
  dropped,
  failedLogins = 0,
  listeners = [],
}: EventStreamStatus): [string, string, Style | undefined] {
  if (state === 'unavailable') return ['events', `off: ${reason ?? 'unavailable'}`, 'yellow'];
  const slow = dropped === 0 ? '' : `, ${dropped} dropped for slow clients`;
  const logins = failedLogins === 0 ? '' : `, ${counted(failedLogins, 'failed login', 'failed logins')}`;
  const off = listeners.filter((listener) => listener.state === 'unavailable');
  const parts = off.map(({ address, reason: why }) => `; off on ${address}: ${why}`).join('');
  const style = lost + dropped + failedLogins + off.length === 0 ? undefined : 'yellow';
  return ['events', `kernel connector, ${counted(clients, 'client', 'clients')}, ${lost} lost${slow}${logins}${parts}`, style];
}

function processTable(processes: readonly ProcessStatus[], now: Date, options: TableOptions): string[] {
  const sorted = [...processes].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : Number(a.name > b.name)));
  const watches = processes.some(({ watched }) => watched !== null);
  const kept = processes.some(({ supervisor }) => supervisor != null);
  const rows = sorted.map((process): Cell[] => [
    { text: printable(process.name) },
    { text: printable(process.processId ?? '-') },
    { text: printable(process.strategy) },
    { text: process.alarmKept ? 'kept' : process.inAlarm ? 'yes' : 'no', style: process.inAlarm ? 'red' : undefined },
    { text: printable(process.activity), style: activityStyle(process) },
    breakerCell(process.breaker),
    ...(watches ? watchedCells(process.watched, now) : []),
    ...(kept ? [{ text: printable(process.supervisor ?? '-') }] : []),
    lastCell(process.lastRecovery, now),
  ]);
  const watchedHeads = watches ? ['UP', 'EXITS', 'LAST EXIT'] : [];
  return renderTable(
    ['PROCESS', 'ID', 'STRATEGY', 'ALARM', 'STATE', 'BREAKER', ...watchedHeads, ...(kept ? ['KEPT BY'] : []), 'LAST RECOVERY'],
    rows,
    options,
  );
}

/** Under the table: they say what to do, which no column has room for. */
function concernLines(processes: readonly ProcessStatus[], { colour }: TableOptions): string[] {
  const concerns = processes.flatMap(({ name, concern }) =>
    concern ? [`${name} would not be started again: ${concern}`] : [],
  );
  return concerns.length === 0 ? [] : ['', ...concerns.map((line) => paint('yellow', printable(line), colour))];
}

/** What wants attention comes first. */
function rank({ inAlarm, activity }: ProcessStatus): number {
  return inAlarm ? 0 : activity === 'ok' ? 2 : 1;
}

/** The colour of what is happening. */
export function activityStyle({ inAlarm, activity }: ProcessStatus): Style | undefined {
  if (activity === 'ok') return 'green';
  const isOpen = activity === 'recovering' || activity.startsWith('waiting for ') || activity.startsWith('not proved: ');
  return inAlarm && !isOpen ? 'red' : 'yellow';
}

/** A breaker as a field of a table. */
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

/** How long it has been running, how often it exited unasked, and how it ended last. */
export function watchedCells(watched: ProcessStatus['watched'], now: Date): Cell[] {
  if (watched === null) return [{ text: '-' }, { text: '-' }, { text: '-' }];
  const { since: started, exits, lastExit } = watched;
  return [
    started === null ? { text: 'down', style: 'red' } : { text: since(started, now) },
    { text: String(exits) },
    {
      text:
        lastExit === null
          ? '-'
          : printable(`${lastExit.cause}${lastExit.expected ? ' (no alarm)' : ''} ${since(lastExit.at, now)} ago`),
    },
  ];
}

/** How its last recovery ended. */
export function lastCell(last: ProcessStatus['lastRecovery'], now: Date): Cell {
  if (last === null) return { text: '-' };
  const detail = last.outcome === 'failed' && last.detail !== '' ? `: ${last.detail}` : '';
  return { text: printable(`${last.outcome} ${since(last.at, now)} ago${detail}`) };
}

function since(time: string, now: Date): string {
  const ms = now.getTime() - Date.parse(time);
  return Number.isFinite(ms) ? formatDuration(Math.max(0, ms)) : time;
}

/** A time of the daemon's in local time; as it came where it is none. */
export function localTime(time: string): string {
  const date = new Date(time);
  return Number.isFinite(date.getTime()) ? localTimestamp(date) : time;
}
