// Builds the status of one process.
import { processStateNames } from '../control/process-state.ts';
import type { ProcessStatus } from '../control/status.ts';
import type { Alarm } from '../core/alarm.ts';
import type { BreakerSnapshot } from '../core/breaker-snapshot.ts';
import { holdWords } from '../core/hold-words.ts';
import { counted } from '../core/text/counted.ts';
import { nameWords } from '../core/text/printable.ts';
import { closedBreaker } from '../monitor/breaker/transitions.ts';
import type { LastRecoveries } from '../monitor/history/last-recoveries.ts';
import type { StoreAvailability } from '../monitor/poll/store-watch.ts';
import type { UnderWay } from '../monitor/recovery/by-target.ts';
import type { HoldRecord } from '../state/daemon-state.ts';
import { managedProcess } from '../strategies/recovery-plan.ts';
import { alarmKnown, alarmReason, alarmRow, skipOf } from './alarm-status.ts';
import type { Core } from './app.ts';
import { judgeState } from './judge-state.ts';
import { type FoundLife, type Running, watchedStatus, watchFact } from './watched-status.ts';

/** The parts from which the status of a process is read. */
export type StatusSources = Pick<
  Core,
  | 'book'
  | 'breakers'
  | 'clock'
  | 'concerns'
  | 'handler'
  | 'holds'
  | 'kept'
  | 'lives'
  | 'monitor'
  | 'plans'
  | 'settings'
  | 'state'
  | 'targets'
>;

/** What is needed to build the status of one process. */
export interface ProcessParts {
  readonly core: StatusSources;
  /** Monitor.availability. */
  readonly availability: StoreAvailability;
  /** Recoveries that are under way. */
  readonly underWay: UnderWay;
  readonly last: LastRecoveries;
  readonly runs: (processName: string) => Running;
  /** The process that a look has found, if no daemon watches. */
  readonly found?: ((processName: string) => FoundLife | undefined) | undefined;
  /** false: no daemon runs, and the command line looks itself. */
  readonly daemonRuns: boolean;
  /** Targets with a breaker, by the process name under which they are stored. */
  readonly breakers: ReadonlyMap<string, string>;
  /** Names with watch_exit. */
  readonly watched: ReadonlySet<string>;
  /** Names that no longer have a section or a row. */
  readonly gone: ReadonlySet<string>;
}

/** Builds the status of the process of that name. `alarms`: all its alarms, as last read. */
export function processStatus(parts: ProcessParts, name: string, alarms: readonly Alarm[]): ProcessStatus {
  const { core, last } = parts;
  const { book, lives, settings, targets } = core;
  const plan = core.plans()(name);
  const process = managedProcess(name, plan);
  const known = targets.known(name);
  const target = parts.breakers.get(name) ?? known?.key;
  const breaker = target === undefined ? closedBreaker : core.breakers.snapshot(target);
  const remainingMs = breaker.state === 'open' ? Math.max(0, Math.round(breaker.reopenAtMs - core.clock.monotonicMs())) : 0;
  const supervisor = plan.strategy.supervisor?.(process);
  const waitingFor = [...new Set(alarms.flatMap(({ key }) => book.waitingFor(key)))];
  const life = lives.of(name);
  const runs = parts.watched.has(name) ? parts.runs(name) : undefined;
  const watch = watchFact(runs, life, lives.endOf(name), core.clock.monotonicMs());
  const found = parts.found?.(name);
  const lastRecovery = last.of(name);
  const alarm = alarmKnown({ settings, availability: parts.availability }, name, alarms);
  const state = judgeState({
    recovering: isRecovering(parts, name, target, alarms),
    refusal: settings().refusals.get(name) ?? skipOf(core, alarms, 'refused') ?? known?.refusal,
    breaker: breaker.state === 'open' && remainingMs === 0 ? 'half_open' : breaker.state,
    breakerReason: openReason(breaker, last.openedFor(core.breakers.list().get(target ?? '')?.processName ?? name)),
    hold: holdReason(core, name, target) ?? (core.holds.list().length > 0 ? skipOf(core, alarms, 'held') : undefined),
    awaited: [...waitingFor, ...(supervisor !== undefined && supervisor.leftMs > 0 ? [supervisor.description] : [])],
    ...alarm,
    observeOnly: settings().monitor.mode === 'observe',
    alarmReason: alarmReason(core, name, alarms),
    failure: parts.gone.has(name) ? undefined : last.failureOf(name, found?.since ?? life?.since ?? undefined),
    watch,
    daemonRuns: parts.daemonRuns,
  });
  return {
    name,
    processId: alarms.find((each) => each.source === 'store')?.processId ?? null,
    target: target ?? null,
    strategy: plan.strategy.name,
    inAlarm: alarm.inAlarm,
    rows: alarms.map((each) => alarmRow(core, each)),
    ...state,
    waitingFor,
    breaker: { state: breaker.state, failures: breaker.failures, remainingMs },
    alarmKept: alarms.some(({ source }) => source === 'kept'),
    watched: watchedStatus(watch, life, found),
    supervisor: supervisor?.description ?? null,
    lastRecovery: lastRecovery === undefined ? null : { ...lastRecovery, at: lastRecovery.at.toISOString() },
    concern: core.concerns.of(name) ?? null,
    pinnedAt: core.state.pins.get(process.systemName)?.pinnedAt.toISOString() ?? null,
  };
}

/** `own` of a name to whose target the section of another name applies: with the state of the other if that has precedence. */
export function ruledBy(own: ProcessStatus, ruling: string, of: ProcessStatus): ProcessStatus {
  if (processStateNames.indexOf(own.state) <= processStateNames.indexOf(of.state)) return own;
  const same = `is the same as [process.${ruling}]`;
  return { ...own, state: of.state, reason: of.reason === null ? same : `${same}: ${of.reason}` };
}

/**
 * The hold that prevents a restart: its own, that of all, or one on another name of its target, as far as targets are known.
 */
export function holdOf(
  { holds, targets }: Pick<Core, 'holds' | 'targets'>,
  name: string,
  target: string | undefined,
): HoldRecord | undefined {
  const own = holds.of(name);
  if (own !== undefined || target === undefined) return own;
  return holds.list().find((hold) => hold.name !== null && targets.known(hold.name)?.key === target);
}

function holdReason(
  core: Pick<Core, 'holds' | 'targets'>,
  processName: string,
  target: string | undefined,
): string | undefined {
  const hold = holdOf(core, processName, target);
  return hold && heldWords(hold, processName);
}

/** The hold of a process in a sentence, with the name that is on hold if that is another one. */
export function heldWords(hold: HoldRecord, processName: string): string {
  const { name } = hold;
  const how = name === processName ? '' : name === null ? ' with all others' : ` through ${nameWords(name)}`;
  return `on hold${how} ${holdWords(hold)}`;
}

function isRecovering(
  { core: { book }, underWay: { targets, names } }: Pick<ProcessParts, 'core' | 'underWay'>,
  name: string,
  target: string | undefined,
  alarms: readonly Alarm[],
): boolean {
  if (targets.has(target ?? name) || names.has(name)) return true;
  return alarms.some(({ key }) => book.isUnderWay(key) && book.get(key)?.phase !== 'checking');
}

/**
 * Why a breaker is open. Without failures it was opened by recoveries or exits that were too frequent; `opened`: the reason
 * given then.
 */
function openReason({ failures }: BreakerSnapshot, opened: string | undefined): string {
  return failures === 0 ? (opened ?? 'it keeps dying') : counted(failures, 'failed recovery', 'failed recoveries');
}
