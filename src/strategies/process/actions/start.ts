// Starts all copies of a program as planned.
import type { ProcessLook } from '../../../system/proc/look.ts';
import type { RestartAttempt, RestartOutcome, StrategyParts } from '../../strategy.ts';
import type { ProcessTree } from '../identity/identity.ts';
import { type Matches, treesOf } from '../identity/match.ts';
import type { ProgramLaunches } from '../launch/launches.ts';
import type { StartPlan } from '../launch/plan.ts';
import type { ProcessOptions } from '../options.ts';
import type { KnownRoots } from '../running/known-roots.ts';

/** Finds what runs of the program. */
export type Find = (look?: ProcessLook) => Promise<Matches>;

/** What starting a program needs. */
interface StartProgramParts extends Pick<StrategyParts, 'programs' | 'clock' | 'log'> {
  readonly known: KnownRoots;
  readonly launches: ProgramLaunches;
  readonly find: Find;
  /** Whether the last look is recent enough. */
  readonly isFresh: () => boolean;
  /** Who has started these, for people. */
  readonly startedBy: (trees: readonly ProcessTree[]) => string;
}

/** Starts all copies of a program as planned, except those that run by then. `done`: what was done before. Never rejects. */
export async function startProgram(
  attempt: RestartAttempt,
  plan: StartPlan & { kind: 'planned' },
  done: string,
  { commandTimeoutMs }: Pick<ProcessOptions, 'commandTimeoutMs'>,
  parts: StartProgramParts,
): Promise<RestartOutcome> {
  const { known, launches, find, isFresh } = parts;
  const { process: managed, runId, signal } = attempt;
  const { systemName } = managed;
  const pids: (number | undefined)[] = [];
  const started: string[] = [];
  const remarks: string[] = [];
  for (const [index, { what, label }] of plan.launches.entries()) {
    if (signal.aborted) return failed(`${done}, aborted before it was started`);
    const isFurther = index > 0 && what.kind === 'line';
    // This is how the copies that a command started are found, whatever their names.
    if (isFurther) await known.started(managed, pids, runId);
    // While we waited and planned, somebody else may have started it.
    const found = index === 0 && isFresh() ? undefined : await (isFurther ? furtherOf(index, parts, signal) : find());
    if (found?.kind === 'refused') return failed(`${done}, but not started: ${found.reason}`);
    const trees = found?.trees ?? [];
    if (index === 0 && trees.length > 0) return restarted(done, `not started: ${parts.startedBy(trees)}`);
    if (trees.length > index) continue;
    // If the one before does not show up, another start could be one too many.
    if (isFurther && trees.length < index) break;
    const result = await parts.programs.launch(
      { systemName, copy: index + 1, runId, timeoutMs: commandTimeoutMs, what },
      GRACE_MS,
      signal,
    );
    if (result.kind === 'failed') {
      // What was started until then has to be known nevertheless.
      if (pids.length > 0) await known.started(managed, pids, runId);
      return { ...result, reason: `${done}, but not started: ${result.reason} (${label})` };
    }
    if (pids.length === 0) launches.started(managed);
    const { pid, left = [], leaves } = result;
    pids.push(pid, ...left);
    started.push(...(left.length > 0 ? left : [pid]).map((one) => (one === undefined ? 'it' : `pid ${one}`)));
    // They may end only after this restart has ended, or while a further copy is started.
    void leaves?.then((late) => {
      pids.push(...late);
      if (pid !== undefined) known.left(managed, pid, late, runId);
    });
    remarks.push(...(result.remarks ?? []));
  }
  await known.started(managed, pids, runId);
  for (const remark of remarks)
    parts.log.warning(`${systemName} was not started as before: ${remark}`, { process_name: systemName });
  return restarted(done, [`started ${started.join(', ')}`, ...remarks].join('; '));
}

/** What runs before copy `index` is started: a start_command may start several by itself, which need a moment to show up. */
async function furtherOf(
  index: number,
  { find, clock }: Pick<StartProgramParts, 'find' | 'clock'>,
  signal: AbortSignal,
): Promise<Matches> {
  const endMs = clock.monotonicMs() + COPIES_MS;
  for (;;) {
    const found = await find();
    if (treesOf(found).length > index || clock.monotonicMs() >= endMs || signal.aborted) return found;
    await clock.sleep(COPIES_POLL_MS, signal);
  }
}

function restarted(...done: readonly string[]): RestartOutcome {
  return { kind: 'restarted', detail: done.join(', ') };
}

function failed(reason: string): RestartOutcome {
  return { kind: 'failed', reason };
}

const COPIES_MS = 1000;
const COPIES_POLL_MS = 50;
/** A program that fails within this time says why. */
const GRACE_MS = 500;
