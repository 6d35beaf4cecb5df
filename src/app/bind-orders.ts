import type { DaemonStatus, OrderReply, Orders, RecoverReply } from '../control/orders.ts';
import { isInAlarm, type ProcessRow, storedAlarm } from '../core/alarm.ts';
import { soon } from '../core/clock.ts';
import { errorMessage, StoreError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import { holdAll } from '../monitor/holds.ts';
import { managedProcess, resolveName } from '../monitor/recovery-plan.ts';
import type { Core } from './app.ts';
import { bindPins } from './pins.ts';
import { previewRestart } from './preview.ts';

type Refusal = Extract<OrderReply<object>, { kind: 'refused' }>;

/** The control socket's door into the river. `reload` and `status` are the daemon's own. */
export function bindOrders(core: Core, own: { status: () => DaemonStatus; reload: Orders['reload'] }): Orders {
  return {
    ...own,
    ...bindPins(core, async (name) => ((await isUnknown(core, name)) ? unknownName(name) : undefined)),
    recover: (name) => recoverNow(core, name),
    preview: (name) => preview(core, name),
    alarm: (nameOrId, clear, notes) => alarm(core, nameOrId, clear, notes),
    resetBreakers: (name) => resetBreakers(core, name),
    hold: async (name, forMs, reason, strict = false) => {
      if (name !== undefined && (await isUnknown(core, name))) return refuse('not_found', unknownName(name));
      const { until } = core.holds.set(name ?? holdAll, forMs, reason, strict);
      return { kind: 'done', until: until?.toISOString() ?? null };
    },
    release: (name) => {
      const released = core.holds.release(name);
      core.monitor.wake();
      return released.length > 0 || name === undefined
        ? { kind: 'done', released }
        : refuse('not_found', `${name} is not on hold`);
    },
  };
}

/** One recovery now, past the breaker. The store may be away: its own database is among what is healed. */
async function recoverNow(core: Core, name: string): Promise<RecoverReply> {
  const found = await lookUp(core, name);
  if ('kind' in found && found.kind === 'refused') {
    if (found.code === 'not_found' || !core.settings().processNames.includes(name)) return found;
  }
  if (core.settings().monitor.onlyConfigured && !core.plans()(name).configured)
    return refuse('conflict', `${name} has no section of its own, and only_configured leaves such processes to others`);
  const rows = 'rows' in found ? found.rows : [];
  const kept = core.kept.alarm(name);
  const inAlarm = [...rows.filter(isInAlarm).map(storedAlarm), ...(kept === undefined ? [] : [kept])];
  const startedMs = core.clock.monotonicMs();
  const outcome = await core.queue.order(name, inAlarm.length > 0 ? inAlarm : rows.slice(0, 1).map(storedAlarm));
  const durationMs = Math.round(core.clock.monotonicMs() - startedMs);
  switch (outcome.kind) {
    case 'recovered':
      return { kind: 'recovered', attempts: outcome.attempts, durationMs };
    case 'failed':
    case 'skipped':
      return outcome;
    case 'not_proved':
      return { kind: 'not_proved', reason: outcome.reason };
    case 'ended':
      return { kind: 'skipped', reason: outcome.reason };
    case 'interrupted':
      return { kind: 'failed', reason: 'interrupted: the daemon stops' };
    default:
      return outcome satisfies never;
  }
}

async function preview(core: Core, name: string): ReturnType<Orders['preview']> {
  const plan = core.plans()(name);
  const found = await lookUp(core, name);
  const process = managedProcess(name, plan, 'rows' in found ? found.rows[0]?.processId : null);
  const previewed = await previewRestart(core, process, plan);
  // A misspelt name; what runs may be looked at before it has a row.
  if ('kind' in found && found.code === 'not_found' && previewed.stops.length === 0) return found;
  return { kind: 'done', ...previewed };
}

async function alarm(core: Core, nameOrId: string, clear: boolean, notes: string | undefined): ReturnType<Orders['alarm']> {
  const found = await lookUp(core, nameOrId, true);
  const names = 'rows' in found ? found.rows.map(({ processName }) => processName ?? '') : [nameOrId];
  const dropped = clear ? names.filter((name) => core.kept.drop(name)) : [];
  if (!('rows' in found))
    return dropped.length === 0 ? found : { kind: 'done', processes: dropped.map((name) => ({ id: null, name })) };
  try {
    for (const { processId } of found.rows) {
      const store = core.store();
      const done = clear ? await store.dropAlarm(processId, notes) : await store.raiseAlarm(processId, notes);
      if (done === 'ambiguous') return refuse('invalid', severalRows(processId));
    }
  } catch (error) {
    return refuseStore(error);
  }
  core.monitor.wake();
  return {
    kind: 'done',
    processes: found.rows.map(({ processId, processName }) => ({ id: processId, name: processName ?? '' })),
  };
}

async function resetBreakers(core: Core, name: string | undefined): ReturnType<Orders['resetBreakers']> {
  if (name === undefined) return { kind: 'done', reset: core.breakers.reset() };
  const plan = core.plans()(name);
  const resolution = await resolveName(core.plans(), name, core.abort.signal);
  const byName = [...core.breakers.list()].find(([, { processName }]) => processName === name)?.[0];
  const target = byName ?? (resolution.kind === 'target' ? resolution.key : name);
  if (!core.breakers.list().has(target) && !plan.configured && !isRemembered(core, name)) {
    const found = await lookUpSoon(core, name);
    if ('kind' in found) return found.code === 'not_found' ? found : refuse(found.code, undecided(name, found.reason));
  }
  return { kind: 'done', reset: core.breakers.reset(target) };
}

/** True where state.db knows the name, whatever became of its row. */
function isRemembered({ holds, state }: Core, name: string): boolean {
  return holds.list().some((hold) => hold.name === name) || state.history.recent(1, name).length > 0;
}

/** True where the store says, and soon, that there is no such process: a misspelt hold would hold nothing. */
async function isUnknown(core: Core, name: string): Promise<boolean> {
  const found = await lookUpSoon(core, name);
  return 'kind' in found && found.code === 'not_found';
}

/** Looks up for an order that can do without the answer: a store that hangs must not keep it waiting. */
async function lookUpSoon(core: Core, name: string): ReturnType<typeof lookUp> {
  const found = await soon(core.clock, LOOK_UP_LIMIT_MS, lookUp(core, name));
  if (found !== 'late') return found;
  return refuse('unavailable', `${core.store().description} has not answered within ${LOOK_UP_LIMIT_MS / 1000} s`);
}

const LOOK_UP_LIMIT_MS = 2000;

/** The rows of that name, or (where `orId` says so) of that id. A section without a row will do for a recovery. */
async function lookUp(core: Core, name: string, orId = false): Promise<{ readonly rows: readonly ProcessRow[] } | Refusal> {
  try {
    const rows = await core.store().findProcesses(name);
    if (rows.length > 0) return { rows };
    const row = orId ? await core.store().readProcess(name) : undefined;
    if (row === 'ambiguous') return refuse('invalid', severalRows(name));
    if (row !== undefined) return { rows: [row] };
  } catch (error) {
    return refuseStore(error);
  }
  if (!orId && core.settings().processNames.includes(name)) return { rows: [] };
  return refuse('not_found', unknownName(name, orId));
}

function severalRows(processId: string): string {
  return `several rows have the process_id ${JSON.stringify(processId)}: they are left alone`;
}

function unknownName(name: string, inDatabaseOnly = false): string {
  return `no process of the name ${quoted(name)} in the database${inDatabaseOnly ? ' that has a row of this host in STATUS_PROCESS' : ' or the configuration'}`;
}

function undecided(name: string, reason: string): string {
  return `nothing is known here of a process of the name ${quoted(name)}, and the database cannot be asked: ${reason}`;
}

function refuseStore(error: unknown): Refusal {
  if (!(error instanceof StoreError)) throw error;
  const code = error.fault === 'denied' ? 'denied' : error.fault === 'config' ? 'invalid' : 'unavailable';
  return refuse(code, errorMessage(error));
}

function refuse(code: Refusal['code'], reason: string): Refusal {
  return { kind: 'refused', code, reason };
}
