// Which names of processes are known, and why an order for another name is refused.
import type { OrderReply } from '../control/reply.ts';
import type { ProcessRow } from '../core/alarm.ts';
import { soon } from '../core/clock.ts';
import { errorMessage, StoreError } from '../core/errors.ts';
import { formatDuration } from '../core/text/duration.ts';
import { quoted } from '../core/text/printable.ts';
import { checkOf } from '../detectors/checks/part-names.ts';
import type { HalfRow } from '../stores/store.ts';
import type { Core } from './app.ts';
import { likeName, meantName } from './meant-name.ts';
import { rowInserts } from './row-inserts.ts';

/** Why an order is not carried out. */
export type Refusal = Extract<OrderReply<object>, { kind: 'refused' }>;

/** What the order of a name needs to find out whether there is such a process. */
export type NameSources = Pick<Core, 'breakers' | 'clock' | 'holds' | 'kept' | 'settings' | 'state' | 'store'>;

/**
 * Why there is no process of that name, or why that is not known; undefined if there is one: it has a section, rows in both
 * tables, or an entry in state.db. The database is asked only if section and entry are missing, for two seconds at most.
 */
export async function unknownName(core: NameSources, name: string): Promise<Refusal | undefined> {
  if (isConfigured(core, name) || isRemembered(core, name)) return undefined;
  const found = await soon(core.clock, LOOK_UP_LIMIT_MS, lookUp(core, name));
  if (found === 'late') return undecided(name, refuse('unavailable', noAnswer(core)));
  return 'rows' in found ? undefined : undecided(name, found);
}

const LOOK_UP_LIMIT_MS = 2000;

function noAnswer(core: Pick<Core, 'store'>): string {
  return `${core.store().description} has not answered within ${formatDuration(LOOK_UP_LIMIT_MS)}`;
}

/** Turns a refusal by the store into one of the order: it is not known whether there is such a process. */
export function undecided(name: string, refusal: Refusal): Refusal {
  if (refusal.code === 'not_found') return refusal;
  return { ...refusal, reason: `it is not known whether a process named ${quoted(name)} exists: ${refusal.reason}` };
}

/** True if the name has its own section. */
export function isConfigured({ settings }: Pick<Core, 'settings'>, name: string): boolean {
  return settings().processNames.includes(name);
}

/** Why a name without a section is never restarted; undefined if it has one, or needs none. */
export function whyLeftAlone(core: Pick<Core, 'plans' | 'settings'>, name: string): string | undefined {
  if (!core.settings().monitor.onlyConfigured || core.plans()(name).configured) return undefined;
  const near = nearSection(core, name);
  return `it has no section of its own (only_configured)${near === undefined ? '' : `: ${near}`}`;
}

/** A hint at a section whose name is similar to that of a process without one; undefined if there is none. */
export function nearSection({ settings }: Pick<Core, 'settings'>, name: string): string | undefined {
  const section = likeName(name, settings().processNames);
  return section && `[process.${section}] is not for ${quoted(name)}: names are compared letter by letter`;
}

/** True if state.db has an entry for the name, even if its row is gone. */
export function isRemembered(
  { holds, breakers, kept, state }: Pick<Core, 'breakers' | 'holds' | 'kept' | 'state'>,
  name: string,
): boolean {
  return (
    holds.list().some((hold) => hold.name === name) ||
    [...breakers.list().values()].some(({ processName }) => processName === name) ||
    kept.alarm(name) !== undefined ||
    state.pins.get(name) !== undefined ||
    state.lives.get(name) !== undefined ||
    state.history.find({ processName: name, limit: 1 }).length > 0
  );
}

/** Looks up the rows of that name; [] if it only has a section. */
export async function lookUp(
  core: Pick<Core, 'clock' | 'settings' | 'store'>,
  name: string,
): Promise<{ readonly rows: readonly ProcessRow[] } | Refusal> {
  try {
    const rows = await core.store().findProcesses(name);
    if (rows.length > 0 || isConfigured(core, name)) return { rows };
    const half = await core.store().findHalf(name);
    return refuse('not_found', half?.kind === 'no_status' ? halfWords(core, name, half) : await noSuchName(core, name));
  } catch (error) {
    return refuseStore(error);
  }
}

/** Looks up the rows of that name, or else the row of that id: at least one. */
export async function lookUpRows(
  core: Pick<Core, 'clock' | 'settings' | 'store'>,
  nameOrId: string,
): Promise<{ readonly rows: readonly ProcessRow[] } | Refusal> {
  try {
    const rows = await core.store().findProcesses(nameOrId);
    if (rows.length > 0) return { rows };
    const row = await core.store().readProcess(nameOrId);
    if (row === 'ambiguous') return refuse('invalid', severalRows(nameOrId));
    if (row !== undefined) return { rows: [row] };
    const half = await core.store().findHalf(nameOrId);
    if (half !== undefined) return refuse('not_found', halfWords(core, nameOrId, half));
  } catch (error) {
    return refuseStore(error);
  }
  const reason = isConfigured(core, nameOrId)
    ? `${nameOrId} has a section, but no row in the database: an alarm needs one${inserts(core, nameOrId, 'PROCESE', 'STATUS_PROCESS')}`
    : await noSuchName(core, nameOrId);
  return refuse('not_found', reason);
}

/** The reason for a refusal because several rows have that id. */
export function severalRows(processId: string): string {
  return `several rows have the process_id ${JSON.stringify(processId)}: they are left alone`;
}

async function noSuchName(core: Pick<Core, 'clock' | 'settings' | 'store'>, name: string): Promise<string> {
  const check = whichCheck(core, name);
  if (check !== undefined) return check;
  const meant = await meantName(core, name);
  const hint = meant === undefined ? '' : ` (did you mean ${shown(meant)}?)`;
  return `no process named ${quoted(name)} in the database or the configuration${hint}`;
}

/** What is said of a name that belongs to a check; undefined if it does not. */
export function whichCheck({ settings }: Pick<Core, 'settings'>, name: string): string | undefined {
  const { checks, document } = settings();
  const check = checkOf(name);
  if (!document.names('check').includes(check)) return undefined;
  const refusal = document.refusals('check').get(check);
  if (refusal !== undefined) return `check ${shown(check)} is not run: ${refusal}`;
  if (!checks.some((one) => one.settings.name === check)) return `check ${shown(check)} is off (enabled = false)`;
  return `${quoted(name)} is a check, not a process: monitor_service check ${shown(check)} shows it`;
}

/** The name, quoted if blanks would make its ends unclear. */
function shown(name: string): string {
  return /^\S+$/.test(name) ? name : quoted(name);
}

function inserts({ settings }: Pick<Core, 'settings'>, name: string, ...tables: Parameters<typeof rowInserts>[1]): string {
  return rowInserts(name, tables, settings().host.hostId);
}

function halfWords(core: Pick<Core, 'settings'>, nameOrId: string, half: HalfRow): string {
  if (half.kind === 'no_name')
    return `STATUS_PROCESS has a row with the process_id ${quoted(nameOrId)}, but PROCESE has no name for it: which process that is is not known`;
  const { hostId } = core.settings().host;
  const ofHost = hostId === undefined || hostId === 'all' ? '' : ' of this host';
  const noRow = `but has no row${ofHost} in STATUS_PROCESS: it can have no alarm`;
  if (half.kind === 'no_status_of_id')
    return `the process_id ${quoted(nameOrId)} is in PROCESE, as ${quoted(half.processName)}, ${noRow}${inserts(core, half.processName, 'STATUS_PROCESS')}`;
  const ids = half.processIds.length === 0 ? '' : ` (process_id ${half.processIds.join(', ')})`;
  return `${nameOrId} is in PROCESE${ids}, ${noRow}${inserts(core, nameOrId, 'STATUS_PROCESS')}`;
}

/** A fault of the store as a refusal of the order; throws `error` again if it is not a StoreError. */
export function refuseStore(error: unknown): Refusal {
  if (!(error instanceof StoreError)) throw error;
  const code = error.fault === 'denied' ? 'denied' : error.fault === 'config' ? 'invalid' : 'unavailable';
  return refuse(code, errorMessage(error));
}

/** A refusal with its code and reason. */
export function refuse(code: Refusal['code'], reason: string): Refusal {
  return { kind: 'refused', code, reason };
}
