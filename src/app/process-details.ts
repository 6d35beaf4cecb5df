// Everything that `status NAME` shows about one process.
import type { ProcessDetails } from '../control/orders/describe.ts';
import type { OrderReply } from '../control/reply.ts';
import type { AlarmRow, ProcessStatus } from '../control/status.ts';
import { storedKey } from '../core/alarm.ts';
import { soon } from '../core/clock.ts';
import type { RestartPreview } from '../core/outcomes.ts';
import { recentRecoveries } from '../monitor/history/recent-recoveries.ts';
import { managedProcess } from '../strategies/recovery-plan.ts';
import type { Core } from './app.ts';
import { isRemembered, lookUp } from './known-names.ts';
import { type PreviewSources, previewOrder } from './preview-order.ts';
import { holdOf } from './process-status.ts';
import { lookAtRunning } from './running-now.ts';
import { holdStatus, storeStatus } from './status.ts';
import { whereOutputGoes } from './where-output-goes.ts';

type Preview = RestartPreview & { readonly strategy: string; readonly target: string };

/** What the details of a process are read from. */
export type DetailSources = PreviewSources & Pick<Core, 'book' | 'monitor'>;

/**
 * Everything that is known now about one process; refused for an unknown name. What a systemd or a store that hangs does not
 * answer within some seconds is left out. `pid` 0: no daemon runs. Never rejects.
 */
export async function describeProcess(
  core: DetailSources,
  name: string,
  pid: number,
  statusOf: (name: string) => Promise<ProcessStatus>,
): Promise<OrderReply<ProcessDetails>> {
  const { clock, holds, abort } = core;
  const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  const otherHolds = holds.list().flatMap((hold) => hold.name ?? []);
  const [found, previewed, looked] = await Promise.all([
    soon(clock, ROWS_LIMIT_MS, lookUp(core, name)),
    soon(clock, LOOK_LIMIT_MS, previewOrder(core, name, signal)),
    soon(clock, LOOK_LIMIT_MS, lookAtRunning(core, name, signal)),
    core.targets.look([name, ...otherHolds], TARGETS_LIMIT_MS),
  ]);
  if (previewed !== 'late' && previewed.kind === 'refused') return previewed;
  if (previewed === 'late' && found !== 'late' && 'kind' in found && found.code === 'not_found' && !isRemembered(core, name))
    return found;
  const now = looked === 'late' ? undefined : looked;
  const process = await statusOf(name);
  const hold = holdOf(core, name, process.target ?? undefined);
  const plan = core.plans()(name);
  const { systemName } = managedProcess(name, plan);
  return {
    kind: 'done',
    process,
    pid,
    store: storeStatus(core),
    rows: allRows(core, name, found),
    hold: hold === undefined ? null : holdStatus(hold),
    running: now?.running ?? null,
    unit: now?.unit ?? null,
    recoveries: recentRecoveries(core.state.history, name),
    restart: previewed === 'late' ? unknownRestart(plan.strategy.name, process) : restartOf(previewed),
    output: whereOutputGoes(now, core.state.launches.get(systemName)),
  };
}

/** How long to wait for a systemd that hangs, in milliseconds. */
const LOOK_LIMIT_MS = 5000;
const ROWS_LIMIT_MS = 2000;
/** The name itself and the held ones are examined first; examining all sections may take longer. */
const TARGETS_LIMIT_MS = 1000;

/** The rows, and the kept alarm, which has none; null if the store does not answer. */
function allRows(
  { book, kept, state }: Pick<Core, 'book' | 'kept' | 'state'>,
  name: string,
  found: Awaited<ReturnType<typeof lookUp>> | 'late',
): ProcessDetails['rows'] {
  if (found === 'late' || ('kind' in found && found.code !== 'not_found')) return null;
  const rows = ('rows' in found ? found.rows : []).map(({ processId, notes, alarma, sound, inDoubt }) => {
    const since = alarma ? book.get(storedKey(processId))?.seenAt : undefined;
    return { processId, notes, since: since?.toISOString() ?? null, acknowledged: sound, inAlarm: inDoubt ? null : alarma };
  });
  const alarm = kept.alarm(name);
  if (alarm === undefined) return rows;
  const since = state.kept.get(name)?.raisedAt.toISOString() ?? null;
  const row: AlarmRow = { processId: null, notes: alarm.notes, since, acknowledged: false };
  return [...rows, { ...row, inAlarm: true }];
}

function restartOf({ stops, starts, refusals, failures, warnings, strategy, target }: Preview): ProcessDetails['restart'] {
  return { stops, starts, refusals, strategy, target, ...(failures && { failures }), ...(warnings && { warnings }) };
}

function unknownRestart(strategy: string, { target }: ProcessStatus): ProcessDetails['restart'] {
  const refusal = `what it would do could not be determined within ${LOOK_LIMIT_MS / 1000} s`;
  return { strategy, target: target ?? '', stops: [], starts: [], refusals: [refusal] };
}
