import type { RunningStatus } from '../control/orders/describe.ts';
import { soon } from '../core/clock.ts';
import { isWell } from '../detectors/exits/boot-grace.ts';
import { managedProcess } from '../strategies/recovery-plan.ts';
import { processesInGroup } from '../strategies/unit/processes.ts';
import { hiddenProcesses } from '../system/proc/hidden.ts';
import { sharedLooks, type TakeLook } from '../system/proc/look.ts';
import { type ProcessIdentity, ProcessTable } from '../system/proc/table.ts';
import { transitOf, type UnitTransit } from '../system/systemd/unit/transit.ts';
import type { Core } from './app.ts';
import type { FoundLife, Running } from './watched-status.ts';

/** Which processes of a name run, as one look found them. */
export interface RunningNow {
  /** null: not known. */
  readonly running: readonly RunningStatus[] | null;
  /** Its unit is fully up, with or without processes. */
  readonly isUp: boolean;
  /** The job or transition of its unit; undefined: none is under way. */
  readonly transit: UnitTransit | undefined;
  /** The systemd unit that it is or runs in; undefined: none, or not known. */
  readonly unit: string | undefined;
  /** Standard output and error of the first process, as /proc shows them; undefined: not readable. */
  readonly outputs: readonly (string | undefined)[];
}

/**
 * Finds the running processes of that name. `look`: a shared look at /proc, to save another one. Bounded by `signal`; never
 * rejects.
 */
export async function lookAtRunning(
  core: Pick<Core, 'clock' | 'execution' | 'plans'>,
  name: string,
  signal: AbortSignal,
  look?: TakeLook,
): Promise<RunningNow | undefined> {
  const plan = core.plans()(name);
  const found = await plan.strategy.findRunning?.(managedProcess(name, plan), signal, look);
  if (found === undefined || found.kind === 'unknown') return undefined;
  const table = new ProcessTable();
  const transit = found.status && (await transitOf(core.execution.services, found.status, signal));
  // A unit that is starting or stopping may have no main process yet, or no longer.
  const isHalfway = transit !== undefined && found.processes.length === 0;
  const processes = isHalfway ? await processesInGroup(table, found.status?.controlGroup ?? '') : found.processes;
  const running = processes.slice(0, MOST_SHOWN).flatMap((each) => runningStatus(core, table, each));
  const [first] = running;
  const isUp = isWell(found);
  const isHidden = !isUp && found.status === undefined && hiddenProcesses() !== undefined;
  return {
    running: isHidden ? null : running,
    isUp,
    transit,
    unit: found.status?.id ?? found.unit,
    outputs: first === undefined ? [] : ['1', '2'].map((descriptor) => table.descriptorPath(first.pid, descriptor)),
  };
}

/** Which watched processes run, if no daemon watches them. */
export interface WatchedNow {
  /** null: not known in time. */
  readonly runs: (processName: string) => Running;
  readonly found: (processName: string) => FoundLife | undefined;
}

/** Looks at all watched processes, for at most `limitMs`. Never rejects. */
export async function lookAtWatched(
  core: Pick<Core, 'abort' | 'clock' | 'execution' | 'plans' | 'settings'>,
  limitMs: number,
): Promise<WatchedNow> {
  const runs = new Map<string, Running>();
  const found = new Map<string, FoundLife>();
  const signal = AbortSignal.any([core.abort.signal, AbortSignal.timeout(limitMs)]);
  const look = sharedLooks(new ProcessTable());
  const names = core.settings().watchedNames.values();
  const worker = async (): Promise<void> => {
    for (const name of names) {
      if (signal.aborted) return;
      const now = await lookAtRunning(core, name, signal, look);
      if (now?.running == null || signal.aborted) continue;
      runs.set(name, now.transit ?? now.isUp);
      const [first] = now.running;
      if (first !== undefined) found.set(name, { pid: first.pid, since: new Date(first.since) });
    }
  };
  await soon(core.clock, limitMs, Promise.all(Array.from({ length: AT_ONCE }, worker)));
  return { runs: (name) => runs.get(name) ?? null, found: (name) => found.get(name) };
}

const MOST_SHOWN = 20;
const AT_ONCE = 8;
const MOST_COMMAND = 1024;

/** The status of one process; [] if it has ended in the meantime. */
function runningStatus(
  { clock }: Pick<Core, 'clock'>,
  table: ProcessTable,
  { pid, startTime }: ProcessIdentity,
): RunningStatus[] {
  const info = table.read(pid, ['startTime', 'name', 'argv', 'meanCpuPercent', 'rssBytes']);
  if (info === undefined || info.startTime !== startTime) return [];
  const { argv = [], name, meanCpuPercent = null, rssBytes = null } = info;
  const command = argv.length === 0 ? `[${name}]` : argv.join(' ');
  const since = new Date(clock.date().getTime() - table.ageMs(info)).toISOString();
  return [{ pid, since, command: command.slice(0, MOST_COMMAND), cpuPercent: meanCpuPercent, memoryBytes: rssBytes }];
}
