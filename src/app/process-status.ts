import type { AlarmRow, ProcessStatus } from '../control/orders.ts';
import type { Alarm } from '../core/alarm.ts';
import type { BreakerSnapshot } from '../core/breaker-snapshot.ts';
import { localTimestamp } from '../core/clock.ts';
import { counted } from '../core/counted.ts';
import { closedBreaker } from '../monitor/circuit-breaker.ts';
import { breakerOpen } from '../monitor/recoveries.ts';
import { managedProcess } from '../monitor/recovery-plan.ts';
import { notProved } from '../monitor/verdict.ts';
import type { WatchedLife } from '../state/daemon-state.ts';
import type { Core } from './app.ts';
import { judgeState, type StateFacts, type WatchFact } from './judge-state.ts';
import type { LastRecoveries } from './last-recoveries.ts';

/** What the status of one process is made of. */
export interface ProcessParts {
  readonly core: Core;
  readonly last: LastRecoveries;
  /** Whether a watched process runs; null: nobody knows. */
  readonly runs: (processName: string) => boolean | null;
  /** Targets with a breaker, by the process name that they are kept under. */
  readonly breakers: ReadonlyMap<string, string>;
}

/** What is going on with the process of that name. `alarms`: all of its own, as read last. */
export function processStatus(parts: ProcessParts, name: string, alarms: readonly Alarm[]): ProcessStatus {
  const { core, last } = parts;
  const target = parts.breakers.get(name);
  const snapshot = target === undefined ? closedBreaker : core.breakers.snapshot(target);
  const plan = core.plans()(name);
  const process = managedProcess(name, plan);
  const supervisor = plan.strategy.supervisor?.(process);
  const waitingFor = [...new Set(alarms.flatMap(({ key }) => core.queue.waitingFor(key)))];
  const awaited = [...waitingFor, ...(supervisor !== undefined && supervisor.leftMs > 0 ? [supervisor.description] : [])];
  const life = core.lives.of(name);
  const runs = core.settings().watchedNames.includes(name) ? parts.runs(name) : undefined;
  const lastRecovery = last.of(name) ?? null;
  const kept = alarms.some(({ source }) => source === 'kept');
  const alarm = alarmKnown(core, name, alarms, kept);
  const hold = core.holds.of(name);
  const watch = watchFact(runs, life);
  const facts: StateFacts = {
    recovering: isRecovering(core, name, target, alarms),
    refusal: undefined,
    breaker: snapshot.state,
    breakerReason: openReason(snapshot),
    hold: hold && holdWords(hold),
    awaited,
    ...alarm,
    observeOnly: core.settings().monitor.mode === 'observe',
    alarmReason: alarmReason(core, alarms),
    failure: failure(lastRecovery, life),
    watch,
  };
  return {
    name,
    processId: alarms.find((alarm) => alarm.source === 'store')?.processId ?? null,
    target: target ?? null,
    strategy: plan.strategy.name,
    inAlarm: alarm.inAlarm,
    rows: alarms.map(alarmRow),
    ...judgeState(facts),
    waitingFor,
    breaker: {
      state: snapshot.state,
      failures: snapshot.failures,
      remainingMs: snapshot.state === 'open' ? Math.max(0, Math.round(snapshot.reopenAtMs - core.clock.monotonicMs())) : 0,
    },
    alarmKept: kept,
    watched: watched(watch, runs, life),
    supervisor: supervisor?.description ?? null,
    lastRecovery,
    concern: core.concerns.of(name) ?? null,
    pinnedAt: core.state.pins.get(process.systemName)?.pinnedAt.toISOString() ?? null,
  };
}

/** The alarm as far as it is known: what was read last stands for nothing once the store does not answer. */
function alarmKnown(
  core: Core,
  name: string,
  alarms: readonly Alarm[],
  kept: boolean,
): Pick<StateFacts, 'inAlarm' | 'alarmUnknown'> {
  const { availability } = core.monitor;
  if (kept) return { inAlarm: true, alarmUnknown: undefined };
  switch (availability.state) {
    case 'starting':
      return { inAlarm: null, alarmUnknown: 'the alarm store has not answered yet' };
    case 'unknown': {
      const then =
        availability.lastPollAt === undefined ? '' : `; ${alarms.length > 0 ? '' : 'not '}in alarm when it was read last`;
      return { inAlarm: null, alarmUnknown: `the alarm store does not answer${then}` };
    }
    case 'ok': {
      if (alarms.length > 0) return { inAlarm: true, alarmUnknown: undefined };
      if (availability.leftOut === 0 || isReadFirst(core, name)) return { inAlarm: false, alarmUnknown: undefined };
      return { inAlarm: null, alarmUnknown: 'more rows are in alarm than are read at once' };
    }
    default:
      return availability satisfies never;
  }
}

/** True if its rows would be among those that were read: names with a section come first, and others had room behind them. */
function isReadFirst({ settings, monitor: { availability } }: Core, name: string): boolean {
  const { processNames } = settings();
  if (availability.state !== 'ok' || !processNames.includes(name)) return false;
  return availability.alarms.some(({ processName }) => processName === null || !processNames.includes(processName));
}

function alarmRow(alarm: Alarm): AlarmRow {
  return { processId: alarm.source === 'store' ? alarm.processId : null, notes: alarm.notes, since: null, acknowledged: false };
}

function isRecovering({ queue }: Core, name: string, target: string | undefined, alarms: readonly Alarm[]): boolean {
  if (queue.isRecovering(name, target ?? '')) return true;
  return alarms.some(({ key }) => queue.isHandling(key) && !queue.isLookedAt(key));
}

/** What the first of them with a word to it has come to. */
function alarmReason({ queue, state }: Core, alarms: readonly Alarm[]): string | undefined {
  for (const alarm of alarms) {
    if (alarm.source === 'store' && state.handled.get(alarm.processId) !== undefined) return 'healed, not cleared';
    const skipped = queue.skipReason(alarm.key);
    if (skipped !== undefined && skipped !== breakerOpen) return skipped;
    const unproved = state.unproved.get(alarm.key)?.reason;
    if (unproved !== undefined) return notProved(unproved);
  }
  return undefined;
}

function openReason({ failures }: BreakerSnapshot): string {
  return failures === 0 ? 'it keeps dying' : counted(failures, 'failed recovery', 'failed recoveries');
}

function holdWords({ name, until, reason }: { name: string; until: Date | null; reason: string }): string {
  const whom = name === '*' ? 'on hold, as all processes are,' : 'on hold';
  const end = until === null ? 'until released' : `until ${localTimestamp(until)}`;
  return `${whom} ${end}${reason === '' ? '' : `: ${reason}`}`;
}

/** A life that began after it was seen to be well. */
function failure(last: ProcessStatus['lastRecovery'], life: WatchedLife | undefined): string | undefined {
  if (last?.outcome !== 'failed') return undefined;
  const since = life?.since ?? undefined;
  if (since !== undefined && since.getTime() > Date.parse(last.at)) return undefined;
  return `the last recovery failed: ${last.detail}`;
}

function watchFact(runs: boolean | null | undefined, life: WatchedLife | undefined): WatchFact {
  if (runs === undefined) return { kind: 'unwatched' };
  if (runs === null) return { kind: 'unknown', reason: 'whether it runs is not known' };
  if (runs) return { kind: 'runs' };
  const exit = life?.lastExit;
  if (exit == null) return { kind: 'down', reason: 'nothing of it runs' };
  const words = `${exit.cause}, ${localTimestamp(exit.at)}`;
  return exit.expected ? { kind: 'stopped', reason: `stopped on purpose (${words})` } : { kind: 'down', reason: words };
}

function watched(fact: WatchFact, runs: boolean | null | undefined, life: WatchedLife | undefined): ProcessStatus['watched'] {
  if (runs === undefined) return null;
  const { pid, since, exits, lastExit } = life ?? { pid: 0, since: null, exits: 0, lastExit: null };
  const last = lastExit && { ...lastExit, at: lastExit.at.toISOString(), uptimeMs: Math.max(0, Math.round(lastExit.uptimeMs)) };
  return { runs, stopped: fact.kind === 'stopped', pid, since: since?.toISOString() ?? null, exits, lastExit: last };
}
