import type { Orders } from '../control/orders.ts';
import type { ProcessRow } from '../core/alarm.ts';
import { soon, zonedTimestamp } from '../core/clock.ts';
import { formatDuration } from '../core/text/duration.ts';
import { nameWords } from '../core/text/printable.ts';
import type { Core } from './app.ts';
import { lookUpRows, type Refusal, refuse, refuseStore, severalRows, whyLeftAlone } from './known-names.ts';
import { previewRestart } from './preview-order.ts';
import { heldWords } from './process-status.ts';

/** Who gives an order, and whether a daemon carries it out. */
export interface OrderSide {
  /** The user and program that give it (whoIs). */
  readonly by: string;
  /** false: the command line carries it out itself, because no daemon runs. */
  readonly daemonRuns: boolean;
}

/** What the prospects of an alarm are read from. */
type ProspectSources = Pick<
  Core,
  'abort' | 'breakers' | 'clock' | 'foresight' | 'holds' | 'plans' | 'settings' | 'state' | 'targets'
>;

/** What the order `alarm` needs. */
export type AlarmOrderSources = ProspectSources & Pick<Core, 'book' | 'events' | 'kept' | 'log' | 'monitor' | 'store'>;

/** Raises the alarm of all rows of a name, or of one row; `clear`: ends it, a kept alarm too. */
export async function orderAlarm(
  core: AlarmOrderSources,
  side: OrderSide,
  { nameOrId, clear, notes }: { readonly nameOrId: string; readonly clear: boolean; readonly notes: string | undefined },
): ReturnType<Orders['alarm']> {
  const found = await lookUpRows(core, nameOrId);
  const rows = 'rows' in found ? found.rows : [];
  const names = 'rows' in found ? rows.map(nameOf) : [nameOrId];
  const dropped = clear ? names.filter((name) => core.kept.drop(name)) : [];
  for (const name of dropped) logOrder(core, side, { name, order: 'alarm_clear', done: 'Kept alarm ended', notes });
  if (!('rows' in found))
    return dropped.length === 0 ? found : { kind: 'done', processes: dropped.map((name) => ({ id: null, name })) };
  // Determined before the alarm is raised: the effects of the recovery itself are not a reason.
  const prospects = clear ? undefined : prospectsOf(core, side, rows);
  // If the order returns early, nobody awaits it.
  prospects?.catch(() => {});
  for (const row of rows) {
    const { processId } = row;
    // Even if we have read no alarm to end: the server that we read from may lag behind.
    const refusal = await write(core, processId, clear, notes);
    if (refusal !== undefined) return refusal;
    if (clear && !mayBeInAlarm(row)) {
      if (notes !== undefined) logNotes(core, side, row, notes);
      continue;
    }
    const [order, done] = clear ? (['alarm_clear', 'ended'] as const) : (['alarm', 'raised'] as const);
    logOrder(core, side, { name: nameOf(row), order, done: `DB UPDATE LOG: Alarm ${done}`, id: processId, notes });
  }
  for (const name of names) core.book.retry(name);
  core.monitor.wake();
  const known = await prospects;
  const processes = rows.map((row) => {
    const { willNotFollow = [], willFail = [] } = known?.get(row.processId) ?? {};
    return {
      id: row.processId,
      name: nameOf(row),
      ...(clear && !mayBeInAlarm(row) && !dropped.includes(nameOf(row)) && { wasNotInAlarm: true }),
      ...(willNotFollow.length > 0 && { willNotFollow }),
      ...(willFail.length > 0 && { willFail }),
    };
  });
  return { kind: 'done', processes };
}

function nameOf({ processName }: Pick<ProcessRow, 'processName'>): string {
  return processName ?? '';
}

/** An acknowledged row is still in alarm. */
function mayBeInAlarm({ alarma, inDoubt }: ProcessRow): boolean {
  return alarma || inDoubt === true;
}

async function write(
  core: Pick<Core, 'store'>,
  id: string,
  clear: boolean,
  notes: string | undefined,
): Promise<Refusal | undefined> {
  try {
    const done = clear ? await core.store().dropAlarm(id, notes) : await core.store().raiseAlarm(id, notes);
    return done === 'ambiguous' ? refuse('invalid', severalRows(id)) : undefined;
  } catch (error) {
    return refuseStore(error);
  }
}

interface LoggedOrder {
  readonly name: string;
  readonly order: 'alarm' | 'alarm_clear';
  readonly done: string;
  readonly id?: string;
  readonly notes: string | undefined;
}

function logOrder(
  { log, events }: Pick<Core, 'events' | 'log'>,
  { by }: OrderSide,
  { name, order, done, id, notes }: LoggedOrder,
): void {
  log.info(`${done} for ${whichWords(name, id)} by ${by}${notes ? `: ${notes}` : ''}`, {
    process_name: name,
    process_id: id ?? null,
  });
  events.emit({ type: 'order_given', order, name, by, detail: notes ?? '', outcome: 'done' });
  if (order === 'alarm')
    events.emit({ type: 'alarm_raised', processName: name, by: 'operator', notes: notes ?? '', where: 'stored' });
}

function logNotes({ log }: Pick<Core, 'log'>, { by }: OrderSide, row: ProcessRow, notes: string): void {
  const { processId } = row;
  const fields = { process_name: row.processName, process_id: processId };
  log.info(`DB UPDATE LOG: Notes written for ${whichWords(nameOf(row), processId)} by ${by}: ${notes}`, fields);
}

/** `web (ID: 7)`, both escaped so that neither can be mistaken for more of the sentence. */
function whichWords(name: string, id: string | undefined): string {
  return `${nameWords(name)}${id === undefined ? '' : ` (ID: ${nameWords(id)})`}`;
}

/** What an alarm of that name would lead to at present, a sentence each. */
interface Prospect {
  /** Why no restart would be tried; [] if one would be. */
  readonly willNotFollow: readonly string[];
  /** Why the restart would fail; [] if no reason is known. */
  readonly willFail: readonly string[];
}

/** The prospects by process_id. A systemd that hangs must not keep the order waiting: then none is reported. */
async function prospectsOf(
  core: ProspectSources,
  side: OrderSide,
  rows: readonly ProcessRow[],
): Promise<Map<string, Prospect>> {
  const byName = new Map<string, Promise<Prospect | 'late'>>();
  const prospects = new Map<string, Prospect>();
  for (const row of rows) {
    const name = nameOf(row);
    const asked = byName.get(name) ?? soon(core.clock, PROSPECT_LIMIT_MS, prospectOf(core, side, name));
    byName.set(name, asked);
    const known = await asked;
    const { willNotFollow, willFail } = known === 'late' ? { willNotFollow: [], willFail: [] } : known;
    prospects.set(row.processId, { willNotFollow: [...willNotFollow, ...whyNotAgain(core, row)], willFail });
  }
  return prospects;
}

const PROSPECT_LIMIT_MS = 3000;

async function prospectOf(core: Omit<ProspectSources, 'state'>, { daemonRuns }: OrderSide, name: string): Promise<Prospect> {
  const reasons = daemonRuns ? [] : ['no daemon runs: it is healed when one is started'];
  if (name.trim() === '') return { willNotFollow: [...reasons, 'it has no name in PROCESE'], willFail: [] };
  if (core.settings().monitor.mode === 'observe') reasons.push('mode = observe: nothing is restarted');
  const leftAlone = whyLeftAlone(core, name);
  if (leftAlone !== undefined) return { willNotFollow: [...reasons, leftAlone], willFail: [] };
  // Asked at once: the alarm wakes the loop, and after that poll the recovery is already under way.
  const blocked = core.foresight.foreseeBlock(name);
  const own = core.holds.of(name);
  if (own !== undefined) reasons.push(heldWords(own, name));
  const { target, held, refusals, failures } = await previewRestart(core, name, null);
  const open = target === undefined ? undefined : breakerWords(core, target);
  if (open !== undefined) reasons.push(open);
  if (own === undefined && held !== undefined) reasons.push(held);
  const block = await blocked;
  return { willNotFollow: [...reasons, ...(block === undefined ? [] : [block]), ...refusals], willFail: failures };
}

/** The reason for a row that was healed and that we must not clear. */
function whyNotAgain({ state, settings }: Pick<Core, 'settings' | 'state'>, { processId }: ProcessRow): string[] {
  return state.handled.get(processId) !== undefined && !settings().monitor.clearAlarm
    ? ['it has been healed already, and its alarm stays in the database (clear_alarm = false)']
    : [];
}

function breakerWords({ breakers, clock }: Pick<Core, 'breakers' | 'clock'>, target: string): string | undefined {
  const { state, reopenAtMs } = breakers.snapshot(target);
  const leftMs = reopenAtMs - clock.monotonicMs();
  if (state !== 'open' || leftMs <= 0) return undefined;
  const until = new Date(clock.date().getTime() + leftMs);
  return `its circuit breaker is open until ${zonedTimestamp(until)} (${formatDuration(leftMs)})`;
}
