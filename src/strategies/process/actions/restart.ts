// One restart of a program that is not a unit.
import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { counted } from '../../../core/text/counted.ts';
import type { SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { type RestartAttempt, type RestartOutcome, type StrategyParts, UNWANTED } from '../../strategy.ts';
import { ambiguityOf, describePids } from '../descriptions.ts';
import type { ProcessTree } from '../identity/identity.ts';
import { treesOf } from '../identity/match.ts';
import type { ProgramLaunches } from '../launch/launches.ts';
import type { ProcessOptions } from '../options.ts';
import type { ProgramFinder } from '../running/finder.ts';
import type { KnownRoots } from '../running/known-roots.ts';
import { restartedByOthers, unitOf } from '../supervision/restart-by-others.ts';
import type { Supervision } from '../supervision/supervision.ts';
import type { ProgramUnit } from '../unit.ts';
import { type Find, startProgram } from './start.ts';
import { stopProgram } from './stop.ts';
import { stopTrees } from './stop-trees.ts';

/** The parts that know the program that is restarted. */
export interface ProgramParts {
  readonly table: ProcessTable;
  readonly known: KnownRoots;
  readonly finder: ProgramFinder;
  readonly launches: ProgramLaunches;
  readonly supervision: Supervision;
  readonly unit: ProgramUnit;
}

/** One restart of a program: it is found, planned, stopped, and then started, or left to its supervisor. */
export class ProgramRestart {
  readonly #options: ProcessOptions;
  readonly #parts: StrategyParts;
  readonly #program: ProgramParts;

  constructor(options: ProcessOptions, parts: StrategyParts, program: ProgramParts) {
    this.#options = options;
    this.#parts = parts;
    this.#program = program;
  }

  /** Rejects only because of mistakes in this program. */
  async run(attempt: RestartAttempt): Promise<RestartOutcome> {
    const managed = attempt.process;
    const { clock } = this.#parts;
    const { table, finder, launches, supervision } = this.#program;
    const look = await finder.finder(managed, attempt.signal);
    let lookedMs = Number.NEGATIVE_INFINITY;
    const find: Find = async () => {
      const begunMs = clock.monotonicMs();
      const found = await look();
      // One that could not see anything is as good as none.
      if (found.kind === 'found') lookedMs = begunMs;
      return found;
    };
    const isFresh = (): boolean => clock.monotonicMs() - lookedMs < FRESH_MS;
    // Before anything is stopped, and before the look: it may take its time.
    const unready = await this.#parts.programs.unready(this.#options.commandTimeoutMs, attempt.signal);
    if (unready !== undefined) return failed(`not started: ${unready}`);
    let found = await find();
    const isAwaited = treesOf(found).length === 0 && supervision.awaited(managed.systemName) !== undefined;
    const isBack = isAwaited && (await this.#comesBack(attempt, undefined, find));
    if (isAwaited && (await attempt.isUnwanted?.())) return failed(UNWANTED);
    if (isAwaited) found = await find();
    if (found.kind === 'refused') return failed(found.reason);
    const ambiguity = ambiguityOf(found, this.#options);
    if (ambiguity !== undefined) return failed(ambiguity);
    if (isBack && found.trees.length > 0) return restarted('nothing was running', this.#startedBy(managed, found.trees));
    if (this.#isRenewed(attempt, found.trees)) return restarted(`since the alarm ${this.#startedBy(managed, found.trees)}`);
    const unit = await this.#program.unit.of(managed, found.trees, attempt.signal);
    if (unit.kind === 'unknown') return failed(`not restarted: ${unit.reason}`);
    if (unit.kind === 'unit') return this.#throughUnit(attempt, unit.process, found.trees);
    // Before anything is stopped: what could not be started again had better be left as it is.
    const plan = await launches.plan(managed, attempt.attempt, found);
    if (plan.kind === 'refused') return { ...plan, kind: 'failed' };
    for (const remark of plan.remarks ?? [])
      this.#parts.log.warning(`${managed.processName}: ${remark}`, { process_name: managed.processName });
    await launches.remember(managed, found.trees, false);
    const start = (done: string): Promise<RestartOutcome> =>
      startProgram(attempt, plan, done, this.#options, {
        ...this.#parts,
        known: this.#program.known,
        launches,
        find,
        isFresh,
        startedBy: (trees) => this.#startedBy(managed, trees),
      });
    const [oldest] = found.trees;
    if (oldest === undefined && found.rest.length === 0) return start('nothing was running');
    const units = found.trees.map((tree) => unitOf(table, tree)).filter((unit) => unit !== undefined);
    const stopping = [...found.trees, ...asTree(found.rest)];
    const stopped = await stopProgram(attempt, stopping, this.#options, { ...this.#parts, table });
    if (stopped.kind === 'failed') return stopped;
    const done = `stopped ${counted(stopped.processes, 'process', 'processes')}${stopped.killed > 0 ? ` (${stopped.killed} by SIGKILL)` : ''}`;
    if (await this.#comesBack(attempt, units, find)) return restarted(done, this.#startedBy(managed, treesOf(await find())));
    return start(done);
  }

  /** A unit of which nothing runs is started when the leftovers of its last main process have been stopped. */
  async #throughUnit(attempt: RestartAttempt, unit: ManagedProcess, trees: readonly ProcessTree[]): Promise<RestartOutcome> {
    const rest = asTree(await this.#program.unit.rest(attempt.process, trees, unit, attempt.signal));
    if (rest.length === 0) return this.#program.unit.restart(attempt, unit);
    const outside = await this.#program.unit.outside(unit, attempt.signal);
    if (outside !== undefined) return failed(outside);
    const { stopSignal, stopTimeoutMs } = this.#options;
    const { clock, services } = this.#parts;
    const parts = { table: this.#program.table, clock, services, ownPid: process.pid };
    const stopped = await stopTrees(rest, stopSignal, stopTimeoutMs, parts, attempt.signal);
    if (stopped.kind === 'failed') return stopped;
    const outcome = await this.#program.unit.restart(attempt, unit);
    const done = `stopped ${counted(stopped.processes, 'process', 'processes')} left behind in ${unit.systemName}`;
    return outcome.kind === 'restarted'
      ? restarted(done, outcome.detail)
      : { ...outcome, reason: `${done}; ${outcome.reason}` };
  }

  /**
   * Whether its supervisor has started everything that runs after the alarm was seen: the alarm is not about these processes.
   */
  #isRenewed({ process: { systemName }, alarmSinceMs }: RestartAttempt, trees: readonly ProcessTree[]): boolean {
    if (alarmSinceMs === undefined || trees.length === 0 || this.#program.supervision.of(systemName) === undefined)
      return false;
    const alarmAgeMs = this.#parts.clock.monotonicMs() - alarmSinceMs;
    return trees.every(({ root }) => this.#program.table.ageMs(root) < alarmAgeMs);
  }

  /**
   * Waits, while nothing of the program runs, for others who may start it again; true if they did. If we have not stopped it
   * (then `units` is absent), the wait ends when the restart is no longer wanted.
   */
  async #comesBack(
    { process: managed, signal, outsideSlot = (wait) => wait(), isUnwanted }: RestartAttempt,
    units: readonly string[] | undefined,
    find: Find,
  ): Promise<boolean> {
    const { clock } = this.#parts;
    let [askedMs, isOver] = [clock.monotonicMs(), false];
    const runs = async (): Promise<boolean> => {
      const found = treesOf(await find());
      this.#program.supervision.logWait(managed);
      if (units === undefined && clock.monotonicMs() - askedMs >= ASK_AGAIN_MS) {
        isOver = (await isUnwanted?.()) ?? false;
        askedMs = clock.monotonicMs();
      }
      return found.length > 0;
    };
    const leftMs = (): number => (isOver ? 0 : (this.#program.supervision.awaited(managed.systemName)?.leftMs ?? 0));
    if (await runs()) return true;
    if ((units ?? []).length === 0 && leftMs() === 0) return false;
    return outsideSlot(() => restartedByOthers(units ?? [], leftMs, runs, this.#parts, signal));
  }

  /** `its supervisor supervisord (pid 12) started pid 34`. */
  #startedBy({ systemName }: ManagedProcess, trees: readonly ProcessTree[]): string {
    const [oldest] = trees;
    const starter = this.#program.supervision.starter(systemName) ?? (oldest && unitOf(this.#program.table, oldest));
    return `${starter === undefined ? 'somebody else' : `its supervisor ${starter}`} started ${describePids(trees)}`;
  }
}

/** Leftovers, in the form of a tree that is to be stopped. */
function asTree([root, ...descendants]: readonly SeenProcess[]): ProcessTree[] {
  return root === undefined ? [] : [{ root, descendants, orphaned: true, by: 'name' }];
}

function restarted(...done: readonly string[]): RestartOutcome {
  return { kind: 'restarted', detail: done.join(', ') };
}

function failed(reason: string): { readonly kind: 'failed'; readonly reason: string } {
  return { kind: 'failed', reason };
}

/** A look that began within this time is as good as another one right before the start. */
const FRESH_MS = 25;
/** Each time the store is queried. */
const ASK_AGAIN_MS = 2000;
