import type { OrderReply } from '../control/reply.ts';
import type { ProcessRow } from '../core/alarm.ts';
import { soon } from '../core/clock.ts';
import { errorMessage, StoreError } from '../core/errors.ts';
import { formatDuration } from '../core/text/duration.ts';
import { quoted } from '../core/text/printable.ts';
import type { HalfRow } from '../stores/store.ts';
import type { Core } from './app.ts';
import { likeName, meantName } from './meant-name.ts';
import { rowInserts } from './row-inserts.ts';

/** Why an order is not carried out. */
export type Refusal = Extract<OrderReply<object>, { kind: 'refused' }>;

/**
 * Why there is no process of that name, or nobody can tell; undefined if there is one: it has a section, rows in both tables, or
 * something is remembered of it. Only of others the database is asked, for two seconds at most.
 */
export async function unknownName(
  core: Pick<Core, 'breakers' | 'clock' | 'holds' | 'kept' | 'settings' | 'state' | 'store'>,
  name: string,
): Promise<Refusal | undefined> {
  if (isConfigured(core, name) || isRemembered(core, name)) return undefined;
  const found = await soon(core.clock, LOOK_UP_LIMIT_MS, lookUp(core, name));
  if (found === 'late') return undecided(name, refuse('unavailable', noAnswer(core)));
  return 'rows' in found ? undefined : undecided(name, found);
}

const LOOK_UP_LIMIT_MS = 2000;

function noAnswer(core: Pick<Core, 'store'>): string {
  return `${core.store().description} has not answered within ${formatDuration(LOOK_UP_LIMIT_MS)}`;
}

/** A refusal for the store's sake as one of the order: nobody knows whether there is such a process. */
export function undecided(name: string, refusal: Refusal): Refusal {
  if (refusal.code === 'not_found') return refusal;
  return { ...refusal, reason: `it cannot be told whether there is a process of the name ${quoted(name)}: ${refusal.reason}` };
}

/** True if the name has a section of its own. */
export function isConfigured({ settings }: Pick<Core, 'settings'>, name: string): boolean {
  return settings().processNames.includes(name);
}

/** Why nothing is ever restarted of a name that has no section; undefined if it has one, or needs none. */
export function whyLeftAlone(core: Pick<Core, 'plans' | 'settings'>, name: string): string | undefined {
  if (!core.settings().monitor.onlyConfigured || core.plans()(name).configured) return undefined;
  const near = nearSection(core, name);
  return `it has no section of its own (only_configured)${near === undefined ? '' : `: ${near}`}`;
}

/** That a section is like the name of a process that has none; undefined if none is, or it has one. */
export function nearSection({ settings }: Pick<Core, 'settings'>, name: string): string | undefined {
  const section = likeName(name, settings().processNames);
  return section && `[process.${section}] is not for ${quoted(name)}: names are compared letter by letter`;
}

/** True if state.db knows the name, whatever became of its row. */
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
    state.history.recent(1, name).length > 0
  );
}

/** The rows of that name; [] if it only has a section. */
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

/** The rows of that name, or else of that id: at least one. */
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

/** Several rows have that id. */
export function severalRows(processId: string): string {
  return `several rows have the process_id ${JSON.stringify(processId)}: they are left alone`;
}

async function noSuchName(core: Pick<Core, 'clock' | 'settings' | 'store'>, name: string): Promise<string> {
  const meant = await meantName(core, name);
  const hint = meant === undefined ? '' : ` (did you mean ${shown(meant)}?)`;
  return `no process of the name ${quoted(name)} in the database or the configuration${hint}`;
}

/** In quotes if its ends would not be seen. */
function shown(name: string): string {
  return /^\S+$/.test(name) ? name : quoted(name);
}

function inserts({ settings }: Pick<Core, 'settings'>, name: string, ...tables: Parameters<typeof rowInserts>[1]): string {
  return rowInserts(name, tables, settings().host.hostId);
}

function halfWords(core: Pick<Core, 'settings'>, nameOrId: string, half: HalfRow): string {
  if (half.kind === 'no_name')
    return `STATUS_PROCESS has a row with the process_id ${quoted(nameOrId)}, but PROCESE has no name for it: nothing says which process that is`;
  const { hostId } = core.settings().host;
  const ofHost = hostId === undefined || hostId === 'all' ? '' : ' of this host';
  const noRow = `but has no row${ofHost} in STATUS_PROCESS: it can have no alarm`;
  if (half.kind === 'no_status_of_id')
    return `the process_id ${quoted(nameOrId)} stands in PROCESE, as ${quoted(half.processName)}, ${noRow}${inserts(core, half.processName, 'STATUS_PROCESS')}`;
  const ids = half.processIds.length === 0 ? '' : ` (process_id ${half.processIds.join(', ')})`;
  return `${nameOrId} stands in PROCESE${ids}, ${noRow}${inserts(core, nameOrId, 'STATUS_PROCESS')}`;
}

/** What the store would not do, as a refusal of the order; what is no StoreError is thrown. */
export function refuseStore(error: unknown): Refusal {
  if (!(error instanceof StoreError)) throw error;
  const code = error.fault === 'denied' ? 'denied' : error.fault === 'config' ? 'invalid' : 'unavailable';
  return refuse(code, errorMessage(error));
}

/** An order that is not carried out, and why. */
export function refuse(code: Refusal['code'], reason: string): Refusal {
  return { kind: 'refused', code, reason };
}
