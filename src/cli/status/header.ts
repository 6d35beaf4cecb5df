import type { CheckStatus, DaemonStatus, EventStreamStatus } from '../../control/status.ts';
import { counted } from '../../core/text/counted.ts';
import type { Fact } from '../terminal/fact-lines.ts';
import { localTime, since } from '../terminal/local-time.ts';
import type { Style } from '../terminal/output.ts';
import { urgency } from './state-colours.ts';
import { heldWords, shownName } from './words.ts';

/** The daemon, in one line; may contain foreign text. */
export function headline({ version, host, pid, startedAt, mode }: DaemonStatus, now: Date): string {
  const who = `monitor_service ${version}${host === undefined ? '' : ` on ${host}`}`;
  if (pid === 0) return `${who}: no daemon runs, nothing is restarted`;
  const how = mode === 'observe' ? ', mode observe: nothing is restarted' : '';
  const up = startedAt === null ? '' : `, up ${since(startedAt, now)}`;
  return `${who}, pid ${pid}${up}${how}`;
}

/** The facts about the daemon as a whole. */
export function daemonFacts(status: DaemonStatus, now: Date): Fact[] {
  const shown = status.processes.filter(({ state }) => state === 'recovering').length;
  return [
    { label: 'as of', text: localTime(now) },
    storeFact(status.store, now),
    ...(status.store.remarks ?? []).map((text): Fact => ({ label: 'remark', text, style: 'yellow' })),
    ...tally(status.processes),
    ...checkFacts(status.checks ?? [], now),
    ...(status.recovering > shown ? [{ label: 'recovering', text: String(status.recovering) }] : []),
    ...status.holds.map((hold): Fact => {
      const whom = hold.name === null ? 'all processes' : shownName(hold.name);
      return { label: 'on hold', text: `${whom} ${heldWords(hold, now)}`, style: 'yellow' };
    }),
    { label: 'configuration', text: status.configFile },
    ...(status.systemd ? [systemdFact(status.systemd)] : []),
    ...(status.events ? [eventFact(status.events)] : []),
    ...(status.exitWatch ? [{ label: 'watch_exit', text: status.exitWatch }] : []),
    ...(status.unsaved ? [{ label: 'state_dir', text: unsavedWords(status.unsaved), style: 'yellow' as const }] : []),
  ];
}

/** The alarm store: how many rows are in alarm; or since when and why that is not known, and how old the shown alarms are. */
export function storeFact(store: DaemonStatus['store'], now: Date): Fact {
  const label = 'alarm store';
  switch (store.state) {
    case 'ok': {
      const more = store.leftOut ? ` and ${store.leftOut} more that are not shown` : '';
      const read = store.lastPollAt === null ? '' : `, read ${since(store.lastPollAt, now)} ago`;
      return {
        label,
        text: `${store.description}: ${store.alarms ?? 0} in alarm${more}${read}`,
        style: more ? 'yellow' : undefined,
      };
    }
    case 'unknown': {
      const time = store.since === null ? '' : ` for ${since(store.since, now)}, since ${localTime(store.since)}`;
      const why = store.reason === null ? '' : withoutStore(store.reason, store.description);
      const isNamed = store.fault !== 'denied' || store.description.startsWith('sqlite ') || /denied|login refused/.test(why);
      const reason = why === '' ? '' : `: ${isNamed ? '' : 'database login refused: '}${why}`;
      const age =
        store.lastPollAt === null
          ? 'they have not been read yet'
          : `the alarms shown were read ${since(store.lastPollAt, now)} ago`;
      return { label, text: `${store.description}: alarms unknown${time}${reason}; ${age}`, style: 'yellow' };
    }
    case 'starting':
      return { label, text: `${store.description}: alarms unknown, it has not answered yet`, style: 'yellow' };
    default:
      return store.state satisfies never;
  }
}

/** That the memory of the daemon is not on the disk, with the reason. */
export function unsavedWords(reason: string): string {
  return `${reason}: breakers, holds and history are lost when the daemon ends`;
}

/** The reason without the store: most name theirs, `mysql db1:3306: database login refused: …`, but not the database on it. */
function withoutStore(reason: string, description: string): string {
  const [server = ''] = /^mysql [^/ ]+/.exec(description) ?? [];
  if (reason.startsWith(`${description}: `)) return reason.slice(description.length + 2);
  if (server === '' || !reason.startsWith(server)) return reason;
  const rest = reason.slice(server.length);
  return rest.startsWith(': ') ? rest.slice(2) : rest.startsWith(' ') ? `it${rest}` : reason;
}

/** How many processes are in each state. */
function tally(processes: DaemonStatus['processes']): Fact[] {
  const states = [...new Set(processes.map(({ state }) => state))].sort((a, b) => urgency(a) - urgency(b));
  if (states.length === 0) return [];
  const words = states.map((state) => `${processes.filter((process) => process.state === state).length} ${state}`);
  return [{ label: 'processes', text: words.join(', ') }];
}

/** How many checks are in each state, and those that are not ok. */
function checkFacts(checks: readonly CheckStatus[], now: Date): Fact[] {
  if (checks.length === 0) return [];
  const count = (shown: string): string[] => {
    const found = checks.filter((check) => shownCheckState(check) === shown).length;
    return found === 0 ? [] : [`${found} ${shown}`];
  };
  const troubled = STATES_IN_TROUBLE.flatMap((shown) => checks.filter((check) => shownCheckState(check) === shown));
  return [
    { label: 'checks', text: [...STATES_IN_TROUBLE, 'ok'].flatMap(count).join(', ') },
    ...troubled.slice(0, MOST_CHECKS).map((check): Fact => {
      const style = shownCheckState(check) === 'failing' ? 'red' : 'yellow';
      return { label: 'check', text: checkWords(check, now), style };
    }),
    ...(troubled.length > MOST_CHECKS ? [{ label: 'check', text: `and ${troubled.length - MOST_CHECKS} more` }] : []),
  ];
}

/** What needs attention first. */
const STATES_IN_TROUBLE = ['failing', 'unknown', 'warning'];
const MOST_CHECKS = 100;

/** The state as people see it: a warning raises no alarm. */
function shownCheckState({ state, isWarning }: CheckStatus): string {
  return state === 'failing' && isWarning ? 'warning' : state;
}

/** `page failing for 3 min: exit code 1`. */
function checkWords(check: CheckStatus, now: Date): string {
  return `${shownName(check.name)} ${shownCheckState(check)} for ${since(check.since, now)}: ${check.reason ?? ''}`;
}

function systemdFact({ connection, problem, units, unheard }: NonNullable<DaemonStatus['systemd']>): Fact {
  const way = connection === null ? 'not asked yet' : connection === 'private' ? 'by its own socket' : 'by the system bus';
  const few = unheard === 0 ? '' : ` (${unheard} by looks: it takes no more rules)`;
  const heard = {
    bus: `, watched units by the system bus${few}`,
    looks: ', watched units by looks: the system bus is away',
  };
  const style: Style | undefined = problem === null && units !== 'looks' ? undefined : 'yellow';
  return { label: 'systemd', text: `${problem?.replace(/^systemd /, '') ?? way}${units === null ? '' : heard[units]}`, style };
}

function eventFact(stream: EventStreamStatus): Fact {
  const { state, reason, clients, lost, dropped, failedLogins = 0, listeners = [] } = stream;
  if (state === 'unavailable') return { label: 'events', text: `off: ${reason ?? 'unavailable'}`, style: 'yellow' };
  const slow = dropped === 0 ? '' : `, ${dropped} dropped for slow clients`;
  const logins = failedLogins === 0 ? '' : `, ${counted(failedLogins, 'failed login', 'failed logins')}`;
  const off = listeners.filter((listener) => listener.state === 'unavailable');
  const parts = off.map(({ address, reason: why }) => `; off on ${address}: ${why}`).join('');
  const text = `kernel connector, ${counted(clients, 'client', 'clients')}, ${lost} lost${slow}${logins}${parts}`;
  return { label: 'events', text, style: lost + dropped + failedLogins + off.length === 0 ? undefined : 'yellow' };
}
