import process from 'node:process';
import type { ManagedProcess } from '../../core/alarm.ts';
import { withDeadline } from '../../core/deadline.ts';
import { errorMessage } from '../../core/errors.ts';
import type { HealthResult, RestartPreview } from '../../core/outcomes.ts';
import type { ProgramMarks } from '../../core/program/marks.ts';
import type { RootProcess } from '../../core/program/roots.ts';
import type { TakeLook } from '../../system/proc/look.ts';
import type { ProcessTable } from '../../system/proc/table.ts';
import type { OtherSupervisor, RunningProcesses } from '../../system/systemd/running-processes.ts';
import type {
  AlsoStarts,
  LaunchesNow,
  Life,
  Meaning,
  Resolution,
  RestartAttempt,
  RestartOutcome,
  RestartStrategy,
  StrategyDefinition,
  StrategyParts,
} from '../strategy.ts';
import { serviceName } from '../unit/name-policy.ts';
import { ProgramRestart } from './actions/restart.ts';
import { ambiguityOf } from './descriptions.ts';
import { expectedLife, type HealthParts, lifeOf, proveRunning } from './health.ts';
import type { ProcessTree } from './identity/identity.ts';
import { nameProblem } from './identity/name.ts';
import { ProgramLaunches } from './launch/launches.ts';
import { type ProcessOptions, parseProcessOptions } from './options.ts';
import { ProgramPreview } from './preview.ts';
import { ProgramFinder } from './running/finder.ts';
import { foundRunning } from './running/found-running.ts';
import { KnownRoots } from './running/known-roots.ts';
import { Supervision } from './supervision/supervision.ts';
import { ProgramUnit } from './unit.ts';

/**
 * Restarts a program that is not a unit: stops every process of exactly that name with its descendants, and starts it again.
 */
export const processStrategy: StrategyDefinition<ProcessOptions> = {
  parse: parseProcessOptions,
  create: (options, parts) => new ProcessStrategy(options, parts, parts.table),
};

/** The process strategy on a given process table. */
export class ProcessStrategy implements RestartStrategy {
  readonly name = 'process';
  readonly #options: ProcessOptions;
  readonly #parts: StrategyParts;
  readonly #table: ProcessTable;
  readonly #known: KnownRoots;
  readonly #finder: ProgramFinder;
  readonly #launches: ProgramLaunches;
  readonly #unit: ProgramUnit;
  readonly #restart: ProgramRestart;
  readonly #preview: ProgramPreview;
  readonly #supervision: Supervision;
  /** Names that were looked at with the present configuration. */
  readonly #lookedAt = new Set<string>();

  constructor(options: ProcessOptions, parts: StrategyParts, table: ProcessTable) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    const { clock, log, roots } = parts;
    this.#supervision = new Supervision({ table, clock, log, roots, waitMs: options.supervisorWaitMs });
    this.#known = new KnownRoots(options, parts, table, this.#supervision);
    this.#finder = new ProgramFinder(options, parts, { table, known: this.#known, supervision: this.#supervision });
    this.#launches = new ProgramLaunches(options, parts, table, this.#finder);
    this.#unit = new ProgramUnit(options, parts, table);
    const program = {
      table,
      known: this.#known,
      finder: this.#finder,
      launches: this.#launches,
      supervision: this.#supervision,
      unit: this.#unit,
    };
    this.#restart = new ProgramRestart(options, parts, program);
    this.#preview = new ProgramPreview(options, parts, program);
  }

  async resolve(managed: ManagedProcess, signal: AbortSignal): Promise<Resolution> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { kind: 'refused', reason: problem };
    await this.#lookOnce(managed);
    const unit = this.#unit.recorded(managed.systemName);
    const refusal = unit === undefined ? undefined : await this.#unitRefusal(managed, unit, signal);
    if (refusal !== undefined) return { kind: 'refused', reason: refusal };
    const description = `${unit === undefined ? '' : `unit ${unit}, `}process ${managed.systemName}`;
    return { kind: 'target', key: await this.#keyOf(managed.systemName, signal), description };
  }

  async means(managed: ManagedProcess, signal: AbortSignal): Promise<Meaning> {
    if (nameProblem(managed, this.#options.configured) !== undefined) return { kind: 'nothing' };
    await this.#lookOnce(managed);
    return { kind: 'target', key: await this.#keyOf(managed.systemName, signal) };
  }

  async restart(attempt: RestartAttempt): Promise<RestartOutcome> {
    try {
      return await this.#restart.run(attempt);
    } catch (error) {
      return { kind: 'failed', reason: `internal error: ${errorMessage(error)}` };
    }
  }

  async checkHealth(managed: ManagedProcess, timeoutMs: number, signal: AbortSignal): Promise<HealthResult> {
    return proveRunning(this.#healthParts(managed), timeoutMs, signal);
  }

  async life(managed: ManagedProcess, signal: AbortSignal): Promise<Life | undefined> {
    const life = await lifeOf(this.#table, await this.#finder.finder(managed, signal));
    const { systemName } = managed;
    // A program that never ran under that name: that nothing runs under it shows nothing.
    return life ?? (this.#finder.isKnown(systemName) ? expectedLife(this.#healthParts(managed)) : undefined);
  }

  async preview(managed: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { stops: [], starts: [], refusals: [problem] };
    return this.#preview.of(managed, signal);
  }

  async alsoStarts(managed: ManagedProcess, signal: AbortSignal): Promise<AlsoStarts> {
    return this.#unit.alsoStarts(managed, signal);
  }

  async concern(managed: ManagedProcess, look?: TakeLook): Promise<string | undefined> {
    try {
      if (nameProblem(managed, this.#options.configured) !== undefined) return undefined;
      // How it is started is the unit's business.
      if (this.#unit.recorded(managed.systemName) !== undefined) return undefined;
      return await this.#launches.concern(managed, look);
    } catch (error) {
      this.#parts.log.debug(`Cannot determine whether ${managed.systemName} could be started: ${errorMessage(error)}`, {
        err: error,
      });
      return undefined;
    }
  }

  async launchesNow(managed: ManagedProcess, signal: AbortSignal): Promise<LaunchesNow> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { kind: 'refused', reason: problem };
    if (this.#unit.recorded(managed.systemName) !== undefined)
      return { kind: 'refused', reason: 'it is restarted through its unit, which needs no pin' };
    return this.#launches.now(managed, signal);
  }

  async observe(managed: ManagedProcess, look?: TakeLook): Promise<void> {
    try {
      const known = this.#parts.roots.get(managed.systemName);
      // The whole table is searched only after something has changed: most calls cost two small files.
      const isRemembered = this.#lookedAt.has(managed.systemName) && this.#launches.isRecorded(managed.systemName);
      this.#lookedAt.add(managed.systemName);
      const isComplete = isRemembered && (known.length >= this.#options.maxMatches || look === undefined);
      if (known.length > 0 && isComplete && known.every((root) => isAsKnown(this.#table, root))) return;
      if (nameProblem(managed, this.#options.configured) !== undefined) return;
      const seen = await look?.();
      if (seen !== undefined && !this.#finder.mayRun(managed.systemName, seen)) return;
      await withDeadline(this.#parts.clock, OBSERVE_MS, undefined, async ({ signal }) => {
        const found = await (await this.#finder.finder(managed, signal))(seen);
        if (found.kind === 'found' && ambiguityOf(found, this.#options) === undefined)
          await this.#record(managed, found.trees, signal);
      });
    } catch (error) {
      this.#parts.log.debug(`Cannot record how ${managed.systemName} was started: ${errorMessage(error)}`, { err: error });
    }
  }

  marks({ systemName }: ManagedProcess): ProgramMarks {
    const { pidFile, argument } = this.#options;
    return { pidFile, argument, units: this.#finder.unitsOf(systemName) };
  }

  async findRunning(managed: ManagedProcess, signal: AbortSignal, look?: TakeLook): Promise<RunningProcesses> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { kind: 'unknown', reason: problem };
    const find = await this.#finder.finder(managed, signal);
    const found = await find(await look?.());
    this.#supervision.logWait(managed);
    return foundRunning(
      this.#table,
      await this.#keyOf(managed.systemName, signal),
      found,
      process.pid,
      this.#supervision.supervisorState(managed.systemName),
    );
  }

  supervisor({ systemName }: ManagedProcess): OtherSupervisor | undefined {
    return this.#supervision.supervisorState(systemName);
  }

  /** What is recorded from then on decides; all callers at the same time share the look. */
  async #lookOnce(managed: ManagedProcess): Promise<void> {
    if (!this.#lookedAt.has(managed.systemName)) await this.observe(managed, this.#parts.look);
  }

  /**
   * Why the program must be left alone because of the unit that it was last seen in; undefined if it need not, or has left that
   * unit.
   */
  async #unitRefusal(managed: ManagedProcess, unit: string, signal: AbortSignal): Promise<string | undefined> {
    const refusal = await this.#unit.refusal(managed, unit, signal);
    if (refusal === undefined) return undefined;
    const found = await (await this.#finder.finder(managed, signal))(await this.#parts.look());
    const now = found.kind === 'found' ? await this.#unit.of(managed, found.trees, signal) : undefined;
    return now?.kind === 'unit' ? this.#unit.refusal(managed, now.process.systemName, signal) : undefined;
  }

  /**
   * The unit that it is the main process of, or that would run it; else the first of the names that mean the same program, such
   * as its name and its full path.
   */
  async #keyOf(systemName: string, signal: AbortSignal): Promise<string> {
    const unit = this.#unit.recorded(systemName);
    if (unit !== undefined) return serviceName(unit);
    const { roots, twins } = this.#parts;
    const { argument, pidFile, user } = this.#options;
    const known = roots.get(systemName);
    const twin = await this.#unit.twin(systemName, signal);
    // A program that runs outside of the unit is not restarted by starting the unit.
    if (twin !== undefined && (twin.isRuled || !known.some((root) => this.#table.exists(root)))) return twin.key;
    const seen = known.flatMap((root) => roots.namesOf(root));
    const names = [systemName, ...(twins?.namesOf(systemName, { argument, pidFile, user }) ?? []), ...seen];
    return names.sort().at(0) ?? systemName;
  }

  #healthParts(managed: ManagedProcess): HealthParts {
    const finder = (within: AbortSignal) => this.#finder.finder(managed, within);
    return { table: this.#table, clock: this.#parts.clock, stableMs: this.#options.stableTimeMs, finder };
  }

  async #record(managed: ManagedProcess, trees: readonly ProcessTree[], signal: AbortSignal): Promise<void> {
    await this.#launches.remember(managed, trees, this.#isAllNew(managed.systemName, trees));
    await this.#known.record(managed, trees, signal);
  }

  /** True if none of them was known: somebody has started all of them again. */
  #isAllNew(systemName: string, trees: readonly ProcessTree[]): boolean {
    const known = new Set(this.#parts.roots.get(systemName).map(({ pid, startTime }) => `${pid} ${startTime}`));
    return !trees.some(({ root: { pid, startTime } }) => known.has(`${pid} ${startTime}`));
  }
}

/**
 * Whether the very process lives and has not become another program (execve(2)), as a start script that ends in `exec` does.
 */
function isAsKnown(table: ProcessTable, root: RootProcess): boolean {
  if (!table.exists(root)) return false;
  const executable = table.read(root.pid, ['executable'])?.executable;
  return executable === undefined || executable === root.executable;
}

/** A look in passing does not wait longer than this for a directory of users. */
const OBSERVE_MS = 2000;
