import { processStateNames } from '../control/process-state.ts';
import type { ProcessStatus } from '../control/status.ts';
import type { Alarm } from '../core/alarm.ts';
import type { BreakerSnapshot } from '../core/breaker-snapshot.ts';
import { holdWords } from '../core/hold-words.ts';
import { counted } from '../core/text/counted.ts';
import { nameWords } from '../core/text/printable.ts';
import { closedBreaker } from '../monitor/breaker/transitions.ts';
import type { LastRecoveries } from '../monitor/history/last-recoveries.ts';
import type { HoldRecord } from '../state/daemon-state.ts';
import { managedProcess } from '../strategies/recovery-plan.ts';
import { alarmKnown, alarmReason, alarmRow, skipOf } from './alarm-status.ts';
import type { Core } from './app.ts';
import { judgeState } from './judge-state.ts';
import { type FoundLife, type Running, watchedStatus, watchFact } from './watched-status.ts';

/** Where the status of a process comes from. */
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

/** What the status of one process is made of. */
export interface ProcessParts {
  readonly core: StatusSources;
  readonly last: LastRecoveries;
  readonly runs: (processName: string) => Running;
  /** What a look has found, if nobody watches. */
  readonly found?: ((processName: string) => FoundLife | undefined) | undefined;
  /** False: the command line looks itself, for no daemon runs. */
  readonly daemonRuns: boolean;
  /** Targets with a breaker, by the process name that they are kept under. */
  readonly breakers: ReadonlyMap<string, string>;
  /** Names with watch_exit. */
  readonly watched: ReadonlySet<string>;
  /** Names that are left without a section and without a row. */
  readonly gone: ReadonlySet<string>;
}

/** What is going on with the process of that name. `alarms`: all of its own, as read last. */
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
  const lastRecovery = last.of(name) ?? null;
  const alarm = alarmKnown(core, name, alarms);
  const state = judgeState({
    recovering: isRecovering(core, name, target, alarms),
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
    lastRecovery,
    concern: core.concerns.of(name) ?? null,
    pinnedAt: core.state.pins.get(process.systemName)?.pinnedAt.toISOString() ?? null,
  };
}

/** `own` of a name whose target the section of another one rules: in the state of that one if that comes before its own. */
export function ruledBy(own: ProcessStatus, ruling: string, of: ProcessStatus): ProcessStatus {
  if (processStateNames.indexOf(own.state) <= processStateNames.indexOf(of.state)) return own;
  const same = `is the same as [process.${ruling}]`;
  return { ...own, state: of.state, reason: of.reason === null ? same : `${same}: ${of.reason}` };
}

/** The hold that keeps it from being restarted: its own, that of all, or one on another name of its target as far as that is known. */
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

/** The hold of a process in a sentence, with the name through which it is held if that is not its own. */
export function heldWords(hold: HoldRecord, processName: string): string {
  const { name } = hold;
  const how = name === processName ? '' : name === null ? ' with all others' : ` through ${nameWords(name)}`;
  return `on hold${how} ${holdWords(hold)}`;
}

function isRecovering(
  { book, handler }: Pick<Core, 'book' | 'handler'>,
  name: string,
  target: string | undefined,
  alarms: readonly Alarm[],
): boolean {
  if (handler.isRecovering(name, target ?? name)) return true;
  return alarms.some(({ key }) => !['idle', 'checking'].includes(book.get(key)?.phase ?? 'idle'));
}

/** Without a failure it was opened by what succeeded, or ended, too often. `opened`: what was told of that. */
function openReason({ failures }: BreakerSnapshot, opened: string | undefined): string {
  return failures === 0 ? (opened ?? 'it keeps dying') : counted(failures, 'failed recovery', 'failed recoveries');
}
