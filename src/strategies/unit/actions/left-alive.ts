import type { Deadline } from '../../../core/deadline.ts';
import { hasEnded } from '../../../system/proc/parse.ts';
import type { ProcessIdentity } from '../../../system/proc/table.ts';
import type { ServiceCallResult, UnitProgram, UnitStatus } from '../../../system/systemd/service-manager.ts';
import { isUp } from '../../../system/systemd/unit/state.ts';
import type { StrategyParts } from '../../strategy.ts';
import { processesInGroup } from '../processes.ts';
import type { UnitPermission } from '../relations/permission.ts';
import { unanswered } from '../relations/starts.ts';
import { describeState, isRestartedBySystemd } from '../state.ts';

// A stop of a unit with KillMode=none ends only what its ExecStop= ends: a start would make a second copy beside the rest.

/** What is needed to see what of a unit outlives its stop. */
export type LeavingParts = Pick<StrategyParts, 'services' | 'table' | 'clock'>;

const PERMITTED = { kind: 'permitted' } as const;

/** Whether a unit that is not down may be stopped for a restart. For most, only KillMode= is queried. Never rejects. */
export async function permitStop(
  { services, table }: Pick<LeavingParts, 'services' | 'table'>,
  status: UnitStatus,
  signal: AbortSignal,
): Promise<UnitPermission> {
  const { id } = status;
  const mode = await services.killMode(id, signal);
  if (mode.kind === 'failed') return unanswered(id, mode.reason);
  const permitted = { kind: 'permitted', killMode: mode.killMode } as const;
  if (mode.killMode !== 'none' || isRestartedBySystemd(status)) return permitted;
  const living = await livingIn(table, status);
  if (living.length === 0) return permitted;
  const [what] = describe(living, status);
  // If a unit is stopped while it starts, systemd does not execute its ExecStop=.
  if (status.activeState === 'activating')
    return {
      kind: 'refused',
      reason: `${id} is ${describeState(status)}: its KillMode=none would leave ${what} alive, and ${SECOND}`,
    };
  const answer = await services.program(id, signal);
  if (answer.kind === 'failed') return unanswered(id, answer.reason);
  if (answer.program.hasStop || !isUp(status)) return permitted;
  return {
    kind: 'refused',
    reason: `${id} has no ExecStop= that would end ${what}, and its KillMode=none leaves that alive: ${SECOND}`,
  };
}

const SECOND = 'a restart would make a second copy';

/** Whether a unit that is down may be started, as far as its last life is concerned. Never rejects. */
export async function permitAfterStop(
  { services, table }: Pick<LeavingParts, 'services' | 'table'>,
  status: UnitStatus,
  { lastMainPid = 0 }: UnitProgram,
  signal: AbortSignal,
): Promise<UnitPermission> {
  const { id, type, remainsAfterExit } = status;
  const mode = await services.killMode(id, signal);
  if (mode.kind === 'failed') return unanswered(id, mode.reason);
  // Of programs that do their work and end, several may be at work.
  if (mode.killMode !== 'none' || (type === 'oneshot' && !remainsAfterExit)) return PERMITTED;
  const isMain = lastMainPid > 0 && type !== 'oneshot';
  const left = (await leftIn(table, id)).filter(({ pid }) => !isMain || pid === lastMainPid);
  if (left.length === 0) return PERMITTED;
  const [what, runs] = describe(left, { mainPid: isMain ? lastMainPid : 0 });
  return {
    kind: 'refused',
    reason: `${id} is ${describeState(status)}, and ${what} still ${runs}, which its KillMode=none leaves alive: a start would make a second copy`,
  };
}

/**
 * Has a unit restarted. If it has KillMode=none it is stopped first, until its processes have ended: a single job would start
 * it beside them. Only this unit is stopped, so that `restart` includes what goes with it; units that systemd stops
 * nevertheless, because they are bound to it, are started afterwards. `killMode`: as permitStop returned it. `not_stopped`:
 * then it is not restarted. Never rejects.
 */
export async function stoppedFirst(
  parts: LeavingParts,
  status: UnitStatus,
  order: { readonly signal: AbortSignal; readonly deadline: Deadline; readonly killMode: string | undefined },
  restart: () => Promise<ServiceCallResult>,
): Promise<ServiceCallResult | { readonly kind: 'not_stopped'; readonly reason: string }> {
  const { services } = parts;
  const { id } = status;
  const { signal, deadline, killMode } = order;
  if (killMode !== 'none' || isRestartedBySystemd(status)) return restart();
  const answer = await services.relations(id, deadline.signal);
  if (answer.kind === 'failed') return answer;
  const bound: string[] = [];
  for (const unit of answer.relations.boundBy) {
    const shown = await services.show(unit, deadline.signal);
    if (shown.kind === 'status' && isUp(shown.status)) bound.push(unit);
  }
  const failure = await stopAlone(parts, status, order);
  if (failure !== undefined) return { kind: 'not_stopped', reason: `systemctl stop ${id}: ${failure}` };
  const restarted = await restart();
  if (restarted.kind === 'done')
    for (const unit of bound) await services.call('start', unit, deadline.remainingMs() || 1, signal);
  return restarted;
}

/** Why the unit is not down, or still has processes, in words that follow the command; undefined once it is down. */
async function stopAlone(
  { services, table, clock }: LeavingParts,
  status: UnitStatus,
  { signal, deadline }: { readonly signal: AbortSignal; readonly deadline: Deadline },
): Promise<string | undefined> {
  const living = await livingIn(table, status);
  const stopped = await services.call('stop-alone', status.id, deadline.remainingMs() || 1, signal);
  if (stopped.kind === 'failed') return stopped.reason;
  const endMs = clock.monotonicMs() + Math.min(PATIENCE_MS, deadline.remainingMs() / 2);
  for (;;) {
    const left = living.filter((process) => table.exists(process));
    if (left.length === 0) return undefined;
    if (deadline.signal.aborted || clock.monotonicMs() >= endMs)
      return `its ExecStop= has not ended ${describe(left, status)[0]}, and its KillMode=none leaves that alive: not started, because that would make a second copy`;
    await clock.sleep(LOOK_MS, deadline.signal);
  }
}

const PATIENCE_MS = 5000;
const LOOK_MS = 100;

/** What of a unit would outlive a stop that ends nothing: its main process; if it has none, everything in its control group. */
async function livingIn(
  table: LeavingParts['table'],
  { mainPid, controlGroup }: UnitStatus,
): Promise<readonly ProcessIdentity[]> {
  if (mainPid === 0) return processesInGroup(table, controlGroup);
  const main = table.read(mainPid, FIELDS);
  return main === undefined || hasEnded(main) ? [] : [main];
}

/** Everything that still runs in a unit that is down and, according to systemd, has no control group any more. */
async function leftIn(table: LeavingParts['table'], id: string): Promise<readonly ProcessIdentity[]> {
  return (await table.survey([...FIELDS, 'unit'])).filter((process) => process.unit === id && !hasEnded(process));
}

const FIELDS = ['startTime', 'state', 'threads'] as const;

/** `its main process (pid 4711)`, and the verb for it. */
function describe(
  processes: readonly ProcessIdentity[],
  { mainPid }: Pick<UnitStatus, 'mainPid'>,
): [what: string, runs: string] {
  const pids = processes.map(({ pid }) => pid);
  const shown = `${pids.slice(0, SHOWN_PIDS).join(', ')}${pids.length > SHOWN_PIDS ? ' …' : ''}`;
  if (pids.length > 1) return [`its processes (pid ${shown})`, 'run'];
  return [pids[0] === mainPid ? `its main process (pid ${shown})` : `its process (pid ${shown})`, 'runs'];
}

const SHOWN_PIDS = 10;
