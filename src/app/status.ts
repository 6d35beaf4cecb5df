import { resolve } from 'node:path';
import type { DaemonStatus, HoldStatus, ProcessStatus } from '../control/orders.ts';
import type { Alarm } from '../core/alarm.ts';
import { localTimestamp } from '../core/clock.ts';
import { closedBreaker, isAtRest } from '../monitor/circuit-breaker.ts';
import { holdAll } from '../monitor/holds.ts';
import { breakerOpen } from '../monitor/recoveries.ts';
import { managedProcess } from '../monitor/recovery-plan.ts';
import { notProved } from '../monitor/verdict.ts';
import type { WatchedLife } from '../state/daemon-state.ts';
import type { Core } from './app.ts';
import type { LastRecoveries } from './last-recoveries.ts';

/** What is going on, for the control socket. `pid` 0: no daemon runs and the command line looked itself. */
export function buildStatus(
  core: Core,
  last: LastRecoveries,
  who: { version: string; pid: number; startedAt: Date | null },
  { events, exitWatch }: Pick<DaemonStatus, 'events' | 'exitWatch'> = { events: null, exitWatch: null },
): DaemonStatus {
  const settings = core.settings();
  const availability = core.monitor.availability;
  const rows = availability.state === 'ok' ? availability.alarms : [];
  const kept = core.kept.alarms();
  return {
    version: who.version,
    host: settings.host.name,
    pid: who.pid,
    startedAt: who.startedAt?.toISOString() ?? null,
    mode: settings.monitor.mode,
    configFile: resolve(settings.file),
    store: {
      description: core.store().description,
      state: availability.state,
      since: availability.state === 'starting' ? null : availability.since.toISOString(),
      reason: availability.state === 'unknown' ? availability.reason : null,
      lastPollAt: availability.state === 'starting' ? null : (availability.lastPollAt?.toISOString() ?? null),
      alarms: availability.state === 'ok' ? rows.length : null,
      leftOut: availability.state === 'ok' ? availability.leftOut : 0,
      remarks: availability.state === 'ok' ? availability.remarks : [],
    },
    recovering: core.queue.recovering,
    // A name's row stands for it where there is one.
    processes: processes(core, [...kept, ...rows], last),
    systemd: core.execution.services.contact() ?? null,
    events,
    exitWatch,
    holds: core.holds.list().map(
      ({ name, until, reason, strict }): HoldStatus => ({
        name,
        until: until?.toISOString() ?? null,
        reason,
        ...(strict ? { strict } : {}),
      }),
    ),
  };
}

/** `3 in alarm, 1 recovering, db ok`: the line that `systemctl status` shows. */
export function statusLine(core: Core): string {
  const { availability } = core.monitor;
  const kept = core.kept.alarms().length;
  const recovering = `${kept > 0 ? `${kept} kept, ` : ''}${core.queue.recovering} recovering`;
  if (availability.state === 'ok') return `${availability.alarms.length} in alarm, ${recovering}, db ok`;
  if (availability.state === 'starting') return `alarms unknown, ${recovering}, db not asked yet`;
  return `alarms unknown since ${localTimestamp(availability.since)}, ${recovering}, db away`;
}

function processes(core: Core, alarms: readonly Alarm[], last: LastRecoveries): ProcessStatus[] {
  const inAlarm = new Map(alarms.flatMap((alarm) => (alarm.processName === null ? [] : [[alarm.processName, alarm] as const])));
  const breakers = new Map([...core.breakers.list()].map(([target, { processName }]) => [processName, target]));
  const restless = [...breakers].filter(([, target]) => !isAtRest(core.breakers.snapshot(target))).map(([name]) => name);
  const held = core.holds.list().flatMap(({ name }) => (name === holdAll ? [] : [name]));
  const names = new Set([
    ...inAlarm.keys(),
    ...core.settings().processNames,
    ...restless,
    ...held,
    ...core.lives.names(),
    ...core.concerns.names(),
    ...unnamedPins(core),
  ]);
  return [...names].map((name) => processStatus(core, name, inAlarm.get(name), breakers.get(name), last));
}

/** The pins of programs without a section: those go by the name that they are pinned under. */
function unnamedPins({ state, settings, plans }: Core): string[] {
  const configured = new Set(settings().processNames.map((name) => managedProcess(name, plans()(name)).systemName));
  return state.pins.list().flatMap(({ systemName }) => (configured.has(systemName) ? [] : [systemName]));
}

function processStatus(
  core: Core,
  name: string,
  alarm: Alarm | undefined,
  target: string | undefined,
  last: LastRecoveries,
): ProcessStatus {
  const waitingFor = alarm === undefined ? [] : core.queue.waitingFor(alarm.key);
  const snapshot = target === undefined ? closedBreaker : core.breakers.snapshot(target);
  const remainingMs = snapshot.state === 'open' ? Math.max(0, Math.round(snapshot.reopenAtMs - core.clock.monotonicMs())) : 0;
  const plan = core.plans()(name);
  const process = managedProcess(name, plan);
  const supervisor = plan.strategy.supervisor?.(process);
  const awaited = [...waitingFor, ...(supervisor !== undefined && supervisor.leftMs > 0 ? [supervisor.description] : [])];
  return {
    name,
    processId: alarm?.source === 'store' ? alarm.processId : null,
    target: target ?? null,
    strategy: plan.strategy.name,
    inAlarm: alarm !== undefined,
    activity: awaited.length > 0 ? `waiting for ${awaited.join(', ')}` : activity(core, name, alarm, snapshot.state),
    waitingFor,
    breaker: { state: snapshot.state, failures: snapshot.failures, remainingMs },
    alarmKept: alarm?.source === 'kept',
    watched: watched(core.lives.of(name)),
    supervisor: supervisor?.description ?? null,
    lastRecovery: last.of(name) ?? null,
    concern: core.concerns.of(name) ?? null,
    pinnedAt: core.state.pins.get(process.systemName)?.pinnedAt.toISOString() ?? null,
  };
}

function watched(life: WatchedLife | undefined): ProcessStatus['watched'] {
  if (life === undefined) return null;
  const { pid, since, exits, lastExit } = life;
  const last = lastExit && { ...lastExit, at: lastExit.at.toISOString(), uptimeMs: Math.max(0, Math.round(lastExit.uptimeMs)) };
  return { pid, since: since?.toISOString() ?? null, exits, lastExit: last };
}

function activity(core: Core, name: string, alarm: Alarm | undefined, breaker: 'closed' | 'open' | 'half_open'): string {
  if (alarm !== undefined && core.queue.isHandling(alarm.key) && !core.queue.isLookedAt(alarm.key)) return 'recovering';
  if (core.holds.of(name) !== undefined) return 'on hold';
  const skipped = alarm === undefined ? undefined : core.queue.skipReason(alarm.key);
  // What was skipped before its breaker was asked says more than an open breaker.
  if (breaker === 'open' && (skipped === undefined || skipped === breakerOpen)) return 'breaker open';
  if (alarm === undefined) return 'ok';
  if (alarm.source === 'store' && core.state.handled.get(alarm.processId) !== undefined) return 'healed, not cleared';
  const unproved = core.state.unproved.get(alarm.key)?.reason;
  return skipped ?? (unproved === undefined ? 'in alarm' : notProved(unproved));
}
