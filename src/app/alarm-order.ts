import type { Orders } from '../control/orders.ts';
import type { ProcessRow } from '../core/alarm.ts';
import { localTimestamp, soon } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { holdAll } from '../monitor/holds.ts';
import type { HoldRecord } from '../state/daemon-state.ts';
import type { Core } from './app.ts';
import { lookUpRows, type Refusal, refuse, refuseStore, severalRows } from './known-names.ts';
import { previewRestart } from './preview-order.ts';

/** Who orders, and whether a daemon carries it out. */
export interface OrderSide {
  /** whoIs. */
  readonly by: string;
  /** False: the command line does it itself, for no daemon runs. */
  readonly daemonRuns: boolean;
}

/** Raises the alarm of the rows of a name, or of a row; `clear`: ends it, also one that is kept. */
export async function orderAlarm(
  core: Core,
  side: OrderSide,
  { nameOrId, clear, notes }: { readonly nameOrId: string; readonly clear: boolean; readonly notes: string | undefined },
): ReturnType<Orders['alarm']> {
  const found = await lookUpRows(core, nameOrId);
  const rows = 'rows' in found ? found.rows : [];
  const names = 'rows' in found ? rows.map(nameOf) : [nameOrId];
  const dropped = clear ? names.filter((name) => core.kept.drop(name)) : [];
  for (const name of dropped) tell(core, side, { name, order: 'alarm_clear', done: 'Kept alarm ended', notes });
  if (!('rows' in found))
    return dropped.length === 0 ? found : { kind: 'done', processes: dropped.map((name) => ({ id: null, name })) };
  // Asked before it is raised: what the recovery itself comes to is no reason.
  const reasons = clear ? undefined : reasonsOf(core, side, rows);
  // Nobody may come to wait for it.
  reasons?.catch(() => {});
  for (const { processId, ...row } of rows) {
    const refusal = await write(core, processId, clear, notes);
    if (refusal !== undefined) return refusal;
    const [order, done] = clear ? (['alarm_clear', 'ended'] as const) : (['alarm', 'raised'] as const);
    tell(core, side, { name: nameOf(row), order, done: `DB UPDATE LOG: Alarm ${done}`, id: processId, notes });
  }
  for (const name of names) core.queue.retry(name);
  core.monitor.wake();
  const known = await reasons;
  const processes = rows.map((row) => {
    const willNotFollow = known?.get(row.processId) ?? [];
    return { id: row.processId, name: nameOf(row), ...(willNotFollow.length === 0 ? {} : { willNotFollow }) };
  });
  return { kind: 'done', processes };
}

function nameOf({ processName }: Pick<ProcessRow, 'processName'>): string {
  return processName ?? '';
}

async function write(core: Core, id: string, clear: boolean, notes: string | undefined): Promise<Refusal | undefined> {
  try {
    const done = clear ? await core.store().dropAlarm(id, notes) : await core.store().raiseAlarm(id, notes);
    return done === 'ambiguous' ? refuse('invalid', severalRows(id)) : undefined;
  } catch (error) {
    return refuseStore(error);
  }
}

interface Told {
  readonly name: string;
  readonly order: 'alarm' | 'alarm_clear';
  readonly done: string;
  readonly id?: string;
  readonly notes: string | undefined;
}

function tell({ log, events }: Core, { by }: OrderSide, { name, order, done, id, notes }: Told): void {
  const which = id === undefined ? name : `${name} (ID: ${id})`;
  log.info(`${done} for ${which} by ${by}${notes ? `: ${notes}` : ''}`, { process_name: name, process_id: id ?? null });
  events.emit({ type: 'order_given', order, name, by, detail: notes ?? '' });
}

/** By process_id. A systemd that hangs must not keep the order waiting: nothing is told then. */
async function reasonsOf(core: Core, side: OrderSide, rows: readonly ProcessRow[]): Promise<Map<string, string[]>> {
  const byName = new Map<string, Promise<string[] | 'late'>>();
  const reasons = new Map<string, string[]>();
  for (const row of rows) {
    const name = nameOf(row);
    const asked = byName.get(name) ?? soon(core.clock, REASONS_LIMIT_MS, whyNothingFollows(core, side, name));
    byName.set(name, asked);
    const known = await asked;
    reasons.set(row.processId, [...(known === 'late' ? [] : known), ...whyLeftAlone(core, row)]);
  }
  return reasons;
}

const REASONS_LIMIT_MS = 3000;

/** Why an alarm of that name would stay, as things stand, a sentence each; [] if it is healed. */
async function whyNothingFollows(core: Core, { daemonRuns }: OrderSide, name: string): Promise<string[]> {
  const reasons = daemonRuns ? [] : ['no daemon runs: it is healed when one is started'];
  if (name.trim() === '') return [...reasons, 'it has no name in PROCESE'];
  const { monitor } = core.settings();
  if (monitor.mode === 'observe') reasons.push('mode = observe: nothing is restarted');
  if (monitor.onlyConfigured && !core.plans()(name).configured)
    return [...reasons, 'it has no section of its own (only_configured)'];
  const own = core.holds.of(name);
  if (own !== undefined) reasons.push(holdWords(own));
  const { target, held, refusals } = await previewRestart(core, name, null);
  const open = target === undefined ? undefined : breakerWords(core, target);
  if (open !== undefined) reasons.push(open);
  if (own === undefined && held !== undefined) reasons.push(held);
  return [...reasons, ...refusals];
}

/** One that was healed and whose clearing is not ours. */
function whyLeftAlone({ state, settings }: Core, { processId }: ProcessRow): string[] {
  return state.handled.get(processId) !== undefined && !settings().monitor.clearAlarm
    ? ['it has been healed already, and its alarm stays in the database (clear_alarm = false)']
    : [];
}

function holdWords({ name, until, reason }: HoldRecord): string {
  const end = until === null ? 'released' : localTimestamp(until);
  return `on hold${name === holdAll ? ' with all others' : ''} until ${end}${reason === '' ? '' : ` (${reason})`}`;
}

function breakerWords({ breakers, clock }: Core, target: string): string | undefined {
  const { state, reopenAtMs } = breakers.snapshot(target);
  const leftMs = reopenAtMs - clock.monotonicMs();
  if (state !== 'open' || leftMs <= 0) return undefined;
  const until = new Date(clock.date().getTime() + leftMs);
  return `its circuit breaker is open until ${localTimestamp(until)} (${formatDuration(leftMs)})`;
}
