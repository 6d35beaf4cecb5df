import process from 'node:process';
import type { ManagedProcess } from '../core/alarm.ts';
import { counted } from '../core/counted.ts';
import { errorMessage } from '../core/errors.ts';
import type { HealthResult, RestartPreview } from '../core/outcomes.ts';
import type { ProgramMarks } from '../core/program-marks.ts';
import type { ProcessLook, SeenProcess, TakeLook } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import type { OtherSupervisor, RunningProcesses } from '../system/systemd/running-processes.ts';
import { foundRunning } from './found-running.ts';
import type { ProcessTree } from './identity.ts';
import { type HealthParts, livesOn, proveRunning, stillToCome } from './process-health.ts';
import { type Matches, treesOf } from './process-match.ts';
import { type ProcessOptions, parseProcessOptions } from './process-options.ts';
import { ambiguityOf, describePids, describeRest, describeStrangers, describeTrees } from './process-preview.ts';
import type { StartPlan } from './process-start.ts';
import { ProgramFinder } from './program-finder.ts';
import { ProgramLaunches } from './program-launches.ts';
import { nameProblem } from './program-name.ts';
import { ServiceStrategy } from './service.ts';
import { stopProgram } from './stop-program.ts';
import type {
  LaunchesNow,
  Life,
  Resolution,
  RestartAttempt,
  RestartOutcome,
  RestartStrategy,
  StrategyDefinition,
  StrategyParts,
} from './strategy.ts';
import { Supervision } from './supervision.ts';
import { broughtBack, unitOf } from './supervisor.ts';
import { unitOfMain } from './unit-of-main.ts';
import { serviceName } from './unit-policy.ts';

/** Restarts a program that is no unit: stops every process of exactly that name and what descends from it, starts it anew. */
export const processStrategy: StrategyDefinition<ProcessOptions> = {
  parse: parseProcessOptions,
  create: (options, parts) => new ProcessStrategy(options, parts, new ProcessTable()),
};

/** The strategy over a given process table. */
export class ProcessStrategy implements RestartStrategy {
  readonly name = 'process';
  readonly #options: ProcessOptions;
  readonly #parts: StrategyParts;
  readonly #table: ProcessTable;
  readonly #finder: ProgramFinder;
  readonly #launches: ProgramLaunches;
  readonly #service: ServiceStrategy;
  readonly #supervision: Supervision;
  /** Names that were looked for before they were resolved. */
  readonly #asked = new Set<string>();
  /** Names that were looked at as the configuration is now. */
  readonly #lookedAt = new Set<string>();

  constructor(options: ProcessOptions, parts: StrategyParts, table: ProcessTable) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
    const { clock, log, roots } = parts;
    this.#supervision = new Supervision({ table, clock, log, roots, waitMs: options.supervisorWaitMs });
    this.#finder = new ProgramFinder(options, parts, table, this.#supervision);
    this.#launches = new ProgramLaunches(options, parts, table, this.#finder);
    const { configured: hasOwnSection, commandTimeoutMs, stableTimeMs } = options;
    this.#service = new ServiceStrategy(
      { hasOwnSection, commandTimeoutMs, healthCheckTimeoutMs: UNIT_LOOK_MS, stableTimeMs },
      parts,
    );
  }

  async resolve(managed: ManagedProcess): Promise<Resolution> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { kind: 'refused', reason: problem };
    // Once a name, and all that are asked at the same time share the look: what is recorded from then on tells.
    if (!this.#asked.has(managed.systemName)) {
      this.#asked.add(managed.systemName);
      await this.observe(managed, this.#parts.look);
    }
    const roots = this.#parts.roots.get(managed.systemName);
    const unit = this.#unitRecorded(managed.systemName);
    if (unit !== undefined)
      return { kind: 'target', key: serviceName(unit), description: `unit ${unit} (process ${managed.systemName})` };
    // Several names of one program, as its name and its full path are, have one key.
    const names = roots.flatMap((root) => this.#parts.roots.namesOf(root));
    const key = names.sort().at(0) ?? managed.systemName;
    return { kind: 'target', key, description: `process ${managed.systemName}` };
  }

  async restart(attempt: RestartAttempt): Promise<RestartOutcome> {
    try {
      return await this.#restart(attempt);
    } catch (error) {
      return { kind: 'failed', reason: `internal error: ${errorMessage(error)}` };
    }
  }

  async checkHealth(managed: ManagedProcess, timeoutMs: number, signal: AbortSignal): Promise<HealthResult> {
    return proveRunning(this.#healthParts(managed), timeoutMs, signal);
  }

  async life(managed: ManagedProcess, signal: AbortSignal): Promise<Life | undefined> {
    const life = await livesOn(this.#table, await this.#finder.finder(managed, signal));
    const { systemName } = managed;
    // What never ran under that name tells nothing by not running under it.
    return life ?? (this.#finder.isKnown(systemName) ? stillToCome(this.#healthParts(managed)) : undefined);
  }

  async preview(managed: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { stops: [], starts: [], refusals: [problem] };
    const found = await (await this.#finder.finder(managed, signal))();
    if (found.kind === 'refused') return { stops: [], starts: [], refusals: [found.reason] };
    const ambiguity = ambiguityOf(found, this.#options);
    const keeper = this.#supervision.keeperLine(managed.systemName);
    const kept = keeper === undefined ? [] : [keeper];
    const strangers = describeStrangers(this.#table, found.strangers);
    const said = (more: readonly string[] = []): Pick<RestartPreview, 'warnings'> => {
      const warnings = [...more, ...kept, ...found.remarks, ...strangers];
      return warnings.length > 0 ? { warnings } : {};
    };
    const unit = ambiguity === undefined ? await this.#asUnit(managed, found.trees, signal) : undefined;
    const running = await describeTrees(this.#table, found.trees, this.#parts.clock.date());
    if (unit !== undefined) {
      const through = await this.#service.preview(unit, signal);
      return { ...through, stops: [...running, ...through.stops], ...said(through.warnings) };
    }
    // Of too many nothing would be started: each of them may have megabytes to be read.
    const trees = found.trees.slice(0, this.#options.maxMatches);
    const plan = await this.#launches.plan(managed, 1, trees);
    const starts = plan.kind === 'planned' ? plan.launches.map(({ description }) => description) : [];
    const refusals = [ambiguity, plan.kind === 'refused' ? plan.reason : undefined].filter((reason) => reason !== undefined);
    const remarks = plan.kind === 'planned' ? (plan.remarks ?? []) : [];
    const differences = await this.#launches.differences(managed, trees);
    return { stops: [...running, ...describeRest(found.rest)], starts, refusals, ...said([...remarks, ...differences]) };
  }

  async concern(managed: ManagedProcess, look?: TakeLook): Promise<string | undefined> {
    try {
      if (nameProblem(managed, this.#options.configured) !== undefined) return undefined;
      // How the unit starts it is the unit's.
      if (this.#unitRecorded(managed.systemName) !== undefined) return undefined;
      return await this.#launches.concern(managed, look);
    } catch (error) {
      this.#parts.log.debug(`Cannot tell whether ${managed.systemName} could be started: ${errorMessage(error)}`, {
        err: error,
      });
      return undefined;
    }
  }

  async launchesNow(managed: ManagedProcess, signal: AbortSignal): Promise<LaunchesNow> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { kind: 'refused', reason: problem };
    if (this.#unitRecorded(managed.systemName) !== undefined)
      return { kind: 'refused', reason: 'it is restarted through its unit, which needs no pin' };
    return this.#launches.now(managed, signal);
  }

  async observe(managed: ManagedProcess, look?: TakeLook): Promise<void> {
    try {
      const known = this.#parts.roots.get(managed.systemName);
      // The whole table is looked over only after something has changed: most calls cost one small file.
      const isRemembered = this.#lookedAt.has(managed.systemName) && this.#launches.isRecorded(managed.systemName);
      this.#lookedAt.add(managed.systemName);
      const isComplete = isRemembered && (known.length >= this.#options.maxMatches || look === undefined);
      this.#lookedAt.add(managed.systemName);
      if (known.length > 0 && isComplete && known.every((root) => this.#table.exists(root))) return;
      if (nameProblem(managed, this.#options.configured) !== undefined) return;
      const within = AbortSignal.timeout(OBSERVE_MS);
      const find = await this.#finder.finder(managed, within);
      const found = await find(await look?.());
      if (found.kind === 'found' && ambiguityOf(found, this.#options) === undefined)
        await this.#record(managed, found.trees, within);
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
    this.#supervision.tellWait(managed);
    return foundRunning(this.#table, managed.systemName, found, process.pid, this.#supervision.sight(managed.systemName));
  }

  supervisor({ systemName }: ManagedProcess): OtherSupervisor | undefined {
    return this.#supervision.sight(systemName);
  }

  async #restart(attempt: RestartAttempt): Promise<RestartOutcome> {
    const managed = attempt.process;
    const find = await this.#finder.finder(managed, attempt.signal);
    // Before anything is stopped, and before the look: it may take its time.
    const unready = await this.#parts.programs.unready(this.#options.commandTimeoutMs, attempt.signal);
    if (unready !== undefined) return failed(`not started: ${unready}`);
    let found = await find();
    const isDown = found.kind === 'found' && found.trees.length === 0;
    const isBack = isDown && (await this.#comesBack(attempt, [], find));
    if (isDown) found = await find();
    if (found.kind === 'refused') return failed(found.reason);
    const ambiguity = ambiguityOf(found, this.#options);
    if (ambiguity !== undefined) return failed(ambiguity);
    if (isBack && found.trees.length > 0) return restarted('nothing was running', this.#startedBy(managed, found.trees));
    if (this.#isRenewed(attempt, found.trees)) return restarted(`since the alarm ${this.#startedBy(managed, found.trees)}`);
    const unit = await this.#asUnit(managed, found.trees, attempt.signal);
    if (unit !== undefined) return this.#service.restart({ ...attempt, process: unit });
    // Before anything is stopped: what could not be started again is better left as it is.
    const plan = await this.#launches.plan(managed, attempt.attempt, found.trees);
    if (plan.kind === 'refused') return { ...plan, kind: 'failed' };
    for (const remark of plan.remarks ?? [])
      this.#parts.log.warning(`${managed.processName}: ${remark}`, { process_name: managed.processName });
    this.#launches.remember(managed, found.trees, false);
    const [oldest] = found.trees;
    if (oldest === undefined && found.rest.length === 0) return this.#start(attempt, plan, 'nothing was running', find);
    const units = found.trees.map((tree) => unitOf(this.#table, tree)).filter((unit) => unit !== undefined);
    const stopping = [...found.trees, ...asTree(found.rest)];
    const stopped = await stopProgram(attempt, stopping, this.#options, { ...this.#parts, table: this.#table });
    if (stopped.kind === 'failed') return stopped;
    const said = `stopped ${counted(stopped.processes, 'process', 'processes')}${stopped.killed > 0 ? ` (${stopped.killed} by SIGKILL)` : ''}`;
    if (await this.#comesBack(attempt, units, find)) return restarted(said, this.#startedBy(managed, treesOf(await find())));
    return this.#start(attempt, plan, said, find);
  }

  /** Whether its supervisor has started all that runs after the alarm was seen: that alarm is not about these. */
  #isRenewed({ process: { systemName }, alarmSinceMs }: RestartAttempt, trees: readonly ProcessTree[]): boolean {
    if (alarmSinceMs === undefined || trees.length === 0 || this.#supervision.of(systemName) === undefined) return false;
    const alarmAgeMs = this.#parts.clock.monotonicMs() - alarmSinceMs;
    return trees.every(({ root }) => this.#table.ageMs(root) < alarmAgeMs);
  }

  /** Waits, while nothing of the program runs, for others who may start it again; whether they did. */
  async #comesBack(
    { process: managed, signal, outsideSlot = (wait) => wait() }: RestartAttempt,
    units: readonly string[],
    find: Find,
  ): Promise<boolean> {
    const runs = async (): Promise<boolean> => {
      const found = treesOf(await find());
      this.#supervision.tellWait(managed);
      return found.length > 0;
    };
    const leftMs = (): number => this.#supervision.awaited(managed.systemName)?.leftMs ?? 0;
    if (await runs()) return true;
    if (units.length === 0 && leftMs() === 0) return false;
    return outsideSlot(() => broughtBack(units, leftMs, runs, this.#parts, signal));
  }

  /** `its supervisor supervisord (pid 12) started pid 34`. */
  #startedBy({ systemName }: ManagedProcess, trees: readonly ProcessTree[]): string {
    const [oldest] = trees;
    const starter = this.#supervision.starter(systemName) ?? (oldest && unitOf(this.#table, oldest));
    return `${starter === undefined ? 'somebody else' : `its supervisor ${starter}`} started ${describePids(trees)}`;
  }

  async #start(
    attempt: RestartAttempt,
    plan: StartPlan & { kind: 'planned' },
    said: string,
    find: Find,
  ): Promise<RestartOutcome> {
    const { systemName } = attempt.process;
    const pids: (number | undefined)[] = [];
    const remarks: string[] = [];
    for (const [index, { what, label }] of plan.launches.entries()) {
      if (attempt.signal.aborted) return failed(`${said}, aborted before it was started`);
      // While we waited and planned somebody else may have started it.
      const found = await find();
      if (found.kind === 'refused') return failed(`${said}, but not started: ${found.reason}`);
      if (index === 0 && found.trees.length > 0)
        return restarted(said, `not started: ${this.#startedBy(attempt.process, found.trees)}`);
      if (found.trees.length > index) continue;
      const name = index === 0 ? systemName : `${systemName}@${index + 1}`;
      const result = await this.#parts.programs.launch(
        { systemName: name, runId: attempt.runId, timeoutMs: this.#options.commandTimeoutMs, what },
        GRACE_MS,
        attempt.signal,
      );
      if (result.kind === 'failed') return failed(`${said}, but not started: ${result.reason} (${label})`);
      pids.push(result.pid);
      remarks.push(...(result.remarks ?? []));
    }
    await this.#finder.started(attempt.process, pids, attempt.runId);
    for (const remark of remarks)
      this.#parts.log.warning(`Not as ${systemName} was started before: ${remark}`, { process_name: systemName });
    const started = pids.map((pid) => (pid === undefined ? 'it' : `pid ${pid}`)).join(', ');
    return restarted(said, [`started ${started}`, ...remarks].join('; '));
  }

  #healthParts(managed: ManagedProcess): HealthParts {
    const finder = (within: AbortSignal) => this.#finder.finder(managed, within);
    return { table: this.#table, clock: this.#parts.clock, stableMs: this.#options.stableTimeMs, finder };
  }

  async #record(managed: ManagedProcess, trees: readonly ProcessTree[], signal: AbortSignal): Promise<void> {
    this.#launches.remember(managed, trees, this.#isAllNew(managed.systemName, trees));
    await this.#finder.record(managed, trees, signal);
  }

  /** True if none of them was known: somebody has started all of it anew. */
  #isAllNew(systemName: string, trees: readonly ProcessTree[]): boolean {
    const known = new Set(this.#parts.roots.get(systemName).map(({ pid, startTime }) => `${pid} ${startTime}`));
    return !trees.some(({ root: { pid, startTime } }) => known.has(`${pid} ${startTime}`));
  }

  /** The unit that it was the main process of when it was last seen; undefined where start_command says how it is started. */
  #unitRecorded(systemName: string): string | undefined {
    if (this.#options.startCommand !== undefined) return undefined;
    return this.#parts.roots.get(systemName).find(({ unit }) => unit !== undefined)?.unit;
  }

  /** The unit that a restart has to go through, as the process that means it; undefined where it is none's main process. */
  async #asUnit(
    managed: ManagedProcess,
    trees: readonly ProcessTree[],
    signal: AbortSignal,
  ): Promise<ManagedProcess | undefined> {
    const [tree, ...more] = trees;
    if (this.#options.startCommand !== undefined || more.length > 0) return undefined;
    const unit =
      tree === undefined
        ? this.#unitRecorded(managed.systemName)
        : await unitOfMain(this.#table, this.#parts.services, tree, process.pid, signal);
    if (unit === undefined) return undefined;
    const asUnit = { ...managed, systemName: unit, systemNameConfigured: true };
    // One that is gone, removed with its package perhaps, starts nothing any more.
    const isGone = tree === undefined && (await this.#service.lookUp(asUnit, signal)).kind === 'absent';
    return isGone ? undefined : asUnit;
  }
}

/** What was left behind, as what is to be stopped. */
function asTree([root, ...descendants]: readonly SeenProcess[]): ProcessTree[] {
  return root === undefined ? [] : [{ root, descendants, orphaned: true, by: 'name' }];
}

/** How to look at what runs of the program. */
type Find = (look?: ProcessLook) => Promise<Matches>;

function restarted(...said: readonly string[]): RestartOutcome {
  return { kind: 'restarted', detail: said.join(', ') };
}

function failed(reason: string): { readonly kind: 'failed'; readonly reason: string } {
  return { kind: 'failed', reason };
}

/** A program that fails within it says why. */
const GRACE_MS = 500;
/** ServiceStrategy's own health check is not asked. */
const UNIT_LOOK_MS = 5000;
/** A look in passing waits no longer for a directory of users. */
const OBSERVE_MS = 2000;
