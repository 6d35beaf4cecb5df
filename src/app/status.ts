// Builds the status of the daemon.
import { resolve } from 'node:path';
import type { DaemonStatus, HoldStatus, ProcessStatus } from '../control/status.ts';
import { type Alarm, hasName, type StoredAlarm } from '../core/alarm.ts';
import { counted } from '../core/text/counted.ts';
import { quoted } from '../core/text/printable.ts';
import { isAtRest } from '../monitor/breaker/transitions.ts';
import type { LastRecoveries } from '../monitor/history/last-recoveries.ts';
import type { HoldRecord } from '../state/daemon-state.ts';
import { managedProcess } from '../strategies/recovery-plan.ts';
import type { Core } from './app.ts';
import { type ProcessParts, processStatus, ruledBy, type StatusSources } from './process-status.ts';

/** What else is known, beside the core. */
interface StatusExtras extends Pick<DaemonStatus, 'checks' | 'events' | 'exitWatch'> {
  readonly runs?: ProcessParts['runs'];
  readonly found?: ProcessParts['found'];
  /** The result of goneNames; none if absent. */
  readonly gone?: ProcessParts['gone'] | undefined;
}

/** Builds the status for the control socket. `pid` 0: no daemon runs, and the command line looked itself. */
export function buildStatus(
  core: StatusSources & Pick<Core, 'execution' | 'store'>,
  last: LastRecoveries,
  who: { version: string; pid: number; startedAt: Date | null },
  { checks, events, exitWatch, runs = seenAlive(core), found, gone = new Set() }: StatusExtras = {},
): DaemonStatus {
  const settings = core.settings();
  return {
    version: who.version,
    host: settings.host.name,
    pid: who.pid,
    startedAt: who.startedAt?.toISOString() ?? null,
    mode: settings.monitor.mode,
    configFile: resolve(settings.file),
    store: storeStatus(core),
    recovering: core.handler.recovering,
    processes: processStatuses({ core, last, runs, found, gone, daemonRuns: who.pid !== 0 }),
    systemd: core.execution.services.contact() ?? null,
    events: events ?? null,
    checks: checks ?? null,
    exitWatch: exitWatch ?? null,
    holds: core.holds.list().map(holdStatus),
    unsaved: core.state.problem?.() ?? null,
  };
}

/**
 * Resolves names to their targets, for as long as a status may take: a process may be on hold or refused under another name.
 * `others`: names that may have no section.
 */
export function lookAtTargets(
  { targets, holds }: Pick<Core, 'holds' | 'targets'>,
  others: readonly string[] = [],
): Promise<void> {
  const held = holds.list().flatMap(({ name }) => name ?? []);
  return targets.look([...held, ...others], LOOK_LIMIT_MS);
}

const LOOK_LIMIT_MS = 300;

/** A hold as the status shows it. */
export function holdStatus({ name, until, reason, strict }: HoldRecord): HoldStatus {
  return { name, until: until?.toISOString() ?? null, reason, ...(strict ? { strict } : {}) };
}

/** What is known about the store. */
export function storeStatus({ store, monitor: { availability } }: Pick<Core, 'monitor' | 'store'>): DaemonStatus['store'] {
  const { description } = store();
  const none = { since: null, reason: null, lastPollAt: null, alarms: null, leftOut: 0, nameless: 0, remarks: [] };
  switch (availability.state) {
    case 'starting':
      return { description, state: 'starting', ...none };
    case 'unknown': {
      const { since, reason, fault, lastPollAt } = availability;
      const last = lastPollAt?.toISOString() ?? null;
      return { description, ...none, state: 'unknown', since: since.toISOString(), reason, fault, lastPollAt: last };
    }
    case 'ok': {
      const { since, lastPollAt, alarms, leftOut } = availability;
      const [from, last] = [since.toISOString(), lastPollAt.toISOString()];
      const nameless = alarms.filter((alarm) => !hasName(alarm));
      const remarks = [...availability.remarks, ...namelessRemark(nameless)];
      const known = { since: from, reason: null, lastPollAt: last, alarms: alarms.length, leftOut, nameless: nameless.length };
      return { description, state: 'ok', ...known, remarks };
    }
    default:
      return availability satisfies never;
  }
}

/** A remark about alarms that cannot be healed because they have no name; the log has a line about each. */
function namelessRemark(alarms: readonly StoredAlarm[]): string[] {
  if (alarms.length === 0) return [];
  const shown = alarms.slice(0, SHOWN_IDS).map(({ processId }) => quoted(processId));
  const more = alarms.length > SHOWN_IDS ? ` and ${alarms.length - SHOWN_IDS} more` : '';
  const what = `in alarm without a name in PROCESE, and so never healed: process_id ${shown.join(', ')}${more}`;
  return [`${counted(alarms.length, 'row', 'rows')} ${what} (expected a row there that names the process)`];
}

const SHOWN_IDS = 5;

/** The status of each process that is listed: DaemonStatus.processes. */
function processStatuses(parts: Omit<ProcessParts, 'availability' | 'breakers' | 'underWay' | 'watched'>): ProcessStatus[] {
  const { core } = parts;
  const alarms = alarmsByName(core);
  const breakers = breakersByName(core);
  const restless = [...breakers]
    .filter(([name, target]) => !parts.gone.has(name) && !isAtRest(core.breakers.snapshot(target)))
    .map(([name]) => name);
  const held = core.holds.list().flatMap(({ name }) => name ?? []);
  const names = new Set([
    ...alarms.keys(),
    ...core.settings().processNames,
    ...restless,
    ...held,
    ...core.lives.names(),
    ...core.concerns.names(),
    ...unnamedPins(core),
  ]);
  const all = { ...parts, breakers, watched: new Set(core.settings().watchedNames) };
  const statusOf = statusesOf(all, alarms);
  return [...names].map(statusOf);
}

/** The status of one process, even if the status does not list it; a daemon runs unless `daemonRuns` is false. */
export function statusOfOne(
  core: StatusSources,
  last: LastRecoveries,
  name: string,
  {
    runs = seenAlive(core),
    found,
    gone = new Set(),
    daemonRuns = true,
  }: Pick<StatusExtras, 'runs' | 'found' | 'gone'> & { readonly daemonRuns?: boolean } = {},
): ProcessStatus {
  const parts = {
    core,
    last,
    runs,
    found,
    gone,
    daemonRuns,
    breakers: breakersByName(core),
    watched: new Set(core.settings().watchedNames),
  };
  return statusesOf(parts, alarmsByName(core))(name);
}

/** Computes statuses by name; a name to whose target another section applies has the state of that section. */
function statusesOf(
  parts: Omit<ProcessParts, 'availability' | 'underWay'>,
  alarms: ReadonlyMap<string, readonly Alarm[]>,
): (name: string) => ProcessStatus {
  const { targets, monitor, handler } = parts.core;
  const all = { ...parts, availability: monitor.availability, underWay: handler.underWay() };
  const rulings = targets.ruling();
  const own = (name: string): ProcessStatus => processStatus(all, name, alarms.get(name) ?? []);
  return (name) => {
    const { key, refusal } = targets.known(name) ?? {};
    const ruling = key === undefined || refusal !== undefined ? undefined : rulings.get(key);
    return ruling === undefined || ruling === name ? own(name) : ruledBy(own(name), ruling, own(ruling));
  };
}

/** The rows in alarm when the store was last read, and the kept alarms. */
function alarmsByName({ kept, monitor: { availability } }: Pick<Core, 'kept' | 'monitor'>): Map<string, Alarm[]> {
  const byName = new Map<string, Alarm[]>();
  const rows = availability.state === 'starting' ? [] : availability.alarms;
  for (const alarm of [...rows, ...kept.alarms()])
    if (alarm.processName !== null) byName.set(alarm.processName, [...(byName.get(alarm.processName) ?? []), alarm]);
  return byName;
}

function breakersByName(core: Pick<Core, 'breakers'>): Map<string, string> {
  return new Map([...core.breakers.list()].map(([target, { processName }]) => [processName, target]));
}

/** Without a watch: a process that ran when it was last seen still runs if its process exists; else it is not known. */
function seenAlive({ lives }: Pick<Core, 'lives'>): (processName: string) => boolean | null {
  return (name) => (lives.of(name)?.since == null ? null : true);
}

/** The pins of programs without a section, by the names under which they are pinned. */
function unnamedPins({ state, settings, plans }: Pick<Core, 'plans' | 'settings' | 'state'>): string[] {
  const configured = new Set(settings().processNames.map((name) => managedProcess(name, plans()(name)).systemName));
  return state.pins.list().flatMap(({ systemName }) => (configured.has(systemName) ? [] : [systemName]));
}
