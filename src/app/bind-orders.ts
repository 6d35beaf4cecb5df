// What the orders of the control socket do in the daemon.
import type { RecoverReply } from '../control/orders/recover.ts';
import type { Orders } from '../control/orders.ts';
import type { ProcessStatus } from '../control/status.ts';
import { isInAlarm, storedAlarm } from '../core/alarm.ts';
import { nameWords } from '../core/text/printable.ts';
import { resolveName } from '../strategies/recovery-plan.ts';
import { type AlarmOrderSources, type OrderSide, orderAlarm } from './alarm-order.ts';
import type { Core } from './app.ts';
import { checkNow, withLastResults } from './check-now.ts';
import { isConfigured, lookUp, type NameSources, undecided, unknownName, whyLeftAlone } from './known-names.ts';
import { bindPins, type PinSources } from './pins.ts';
import { previewOrder } from './preview-order.ts';
import { type DetailSources, describeProcess } from './process-details.ts';
import { heldWords, holdOf } from './process-status.ts';
import { lookAtTargets } from './status.ts';
import { listIncidents, readHistory, tellStory } from './story.ts';
import { tellUptime } from './uptime.ts';

/** What the orders are bound to, beside what carries them out. */
interface OrderBinding extends OrderSide {
  readonly status: Orders['status'];
  /** The status of one process, even if the status does not list it. */
  readonly statusOf: (name: string) => Promise<ProcessStatus>;
  readonly reload: Orders['reload'];
}

/** What the orders are carried out with. */
export type OrderSources = AlarmOrderSources & DetailSources & PinSources & Pick<Core, 'abort' | 'checks' | 'handler'>;

/**
 * Binds the orders of the control socket to the monitor, for one user who gives them. `reload` and `status` are the daemon's
 * own.
 */
export function bindOrders(core: OrderSources, { status, statusOf, reload, ...side }: OrderBinding): Orders {
  const { by } = side;
  return {
    status,
    reload,
    ...bindPins(core, by),
    recover: (name) => recoverNow(core, side, name),
    preview: (name) => previewOrder(core, name),
    describe: (name) => describeProcess(core, name, side.daemonRuns ? process.pid : 0, statusOf),
    history: (filter) => readHistory(core, filter),
    why: (name, incident) => tellStory(core, name, incident, { daemonRuns: side.daemonRuns, statusOf }),
    uptime: (name, days) => tellUptime(core, name, days),
    incidents: (limit) => listIncidents(core, limit),
    checks: async () => ({ kind: 'done', checks: withLastResults(core, (await status()).checks ?? []) }),
    check: (name) => checkNow(core, name),
    alarm: (nameOrId, clear, notes) => orderAlarm(core, side, { nameOrId, clear, notes }),
    resetBreakers: (name) => resetBreakers(core, by, name),
    hold: async (name, forMs, reason, strict = false) => {
      const unknown = name === undefined ? undefined : await unknownName(core, name);
      if (unknown !== undefined) return unknown;
      const { until } = core.holds.set(name ?? null, forMs, reason, strict, by);
      const unsaved = core.state.problem?.();
      return { kind: 'done', until: until?.toISOString() ?? null, ...(unsaved !== undefined && { unsaved }) };
    },
    release: async (name) => {
      const released = core.holds.release(name, by);
      if (released.length > 0) core.monitor.wake();
      else if (name !== undefined) {
        const unknown = await unknownName(core, name);
        if (unknown !== undefined) return unknown;
      }
      const still = name === undefined ? undefined : await stillHeld(core, name);
      return { kind: 'done', released, ...(still !== undefined && { stillHeld: still }) };
    },
  };
}

/** The hold that still prevents a restart of `name`, in a sentence: the hold of all, or one on another name of its target. */
async function stillHeld(core: Pick<Core, 'holds' | 'targets'>, name: string): Promise<string | undefined> {
  if (core.holds.list().length === 0) return undefined;
  await lookAtTargets(core, [name]);
  const hold = holdOf(core, name, core.targets.known(name)?.key);
  return hold && heldWords(hold, name);
}

/**
 * Runs one recovery now, even if the breaker is open. The store may not answer: its own database may be what is to be healed.
 */
async function recoverNow(
  core: Pick<Core, 'clock' | 'events' | 'handler' | 'kept' | 'log' | 'plans' | 'settings' | 'store'>,
  { by, daemonRuns }: OrderSide,
  name: string,
): Promise<RecoverReply> {
  const found = await lookUp(core, name);
  if ('kind' in found && !(isConfigured(core, name) && found.code !== 'not_found')) return undecided(name, found);
  const leftAlone = whyLeftAlone(core, name);
  if (leftAlone !== undefined) return { kind: 'skipped', reason: leftAlone };
  const rows = 'rows' in found ? found.rows : [];
  const kept = core.kept.alarm(name);
  const inAlarm = [...rows.filter(isInAlarm).map(storedAlarm), ...(kept === undefined ? [] : [kept])];
  const startedMs = core.clock.monotonicMs();
  core.log.info(`RESTART LOG: Restart of ${nameWords(name)} ordered by ${by}`, { process_name: name });
  core.events.emit({ type: 'order_given', order: 'restart', name, by, detail: '', outcome: 'accepted' });
  const outcome = await core.handler.order(name, inAlarm.length > 0 ? inAlarm : rows.slice(0, 1).map(storedAlarm));
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
      return { kind: 'failed', reason: daemonRuns ? 'interrupted: the daemon stops' : 'interrupted by a signal' };
    default:
      return outcome satisfies never;
  }
}

async function resetBreakers(
  core: NameSources & Pick<Core, 'abort' | 'plans'>,
  by: string,
  name: string | undefined,
): ReturnType<Orders['resetBreakers']> {
  if (name === undefined) return { kind: 'done', reset: core.breakers.reset(undefined, by) };
  const unknown = await unknownName(core, name);
  const resolution = unknown === undefined ? await resolveName(core.plans(), name, core.abort.signal) : undefined;
  const byName = [...core.breakers.list()].find(([, { processName }]) => processName === name)?.[0];
  const target = byName ?? (resolution?.kind === 'target' ? resolution.key : name);
  if (unknown !== undefined && !core.breakers.list().has(target)) return unknown;
  return { kind: 'done', reset: core.breakers.reset(target, by) };
}
