import process from 'node:process';
import type { ManagedProcess } from '../core/alarm.ts';
import { Breath } from '../core/breath.ts';
import { counted } from '../core/counted.ts';
import { errorMessage } from '../core/errors.ts';
import type { HealthResult, RestartPreview } from '../core/outcomes.ts';
import type { ProcessLook, SeenProcess, TakeLook } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import type { RunningProcesses } from '../system/systemd/running-processes.ts';
import { foundRunning } from './found-running.ts';
import { isFromCommand, type LaunchSight, type RecalledLaunch, recallLaunch, rememberLaunch } from './launch-memory.ts';
import { type HealthParts, livesOn, proveRunning, stillToCome } from './process-health.ts';
import { findTrees, type Matches, type ProcessTree, treesOf } from './process-match.ts';
import { type ProcessOptions, parseProcessOptions } from './process-options.ts';
import { ambiguityOf, describePids, describeStrangers, describeTrees } from './process-preview.ts';
import { defaultPath, planStart, type StartPlan } from './process-start.ts';
import { nameProblem } from './program-name.ts';
import { findOwners } from './program-owner.ts';
import { stopProgram } from './stop-program.ts';
import type {
  Life,
  Resolution,
  RestartAttempt,
  RestartOutcome,
  RestartStrategy,
  StrategyDefinition,
  StrategyParts,
} from './strategy.ts';
import { broughtBack, supervisorOf } from './supervisor.ts';

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
  /** Names, and users whose processes bear them and are not the program, that were told of. */
  readonly #told = new Set<string>();
  /** Names under which a program was found running. */
  readonly #seen = new Set<string>();

  constructor(options: ProcessOptions, parts: StrategyParts, table: ProcessTable) {
    this.#options = options;
    this.#parts = parts;
    this.#table = table;
  }

  async resolve(managed: ManagedProcess): Promise<Resolution> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { kind: 'refused', reason: problem };
    return { kind: 'target', key: managed.systemName, description: `process ${managed.systemName}` };
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
    const life = await livesOn(this.#table, await this.#finder(managed, signal));
    const { systemName } = managed;
    const known = this.#seen.has(systemName) || this.#parts.launches.get(systemName) !== undefined;
    // What never ran under that name tells nothing by not running under it.
    return life ?? (known ? stillToCome(this.#healthParts(managed)) : undefined);
  }

  async preview(managed: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { stops: [], starts: [], refusals: [problem] };
    const found = await (await this.#finder(managed, signal))();
    if (found.kind === 'refused') return { stops: [], starts: [], refusals: [found.reason] };
    const stops = await describeTrees(this.#table, found.trees, this.#parts.clock.date());
    // Of too many nothing would be started: each of them may have megabytes to be read.
    const plan = await this.#planStart(managed, 1, found.trees.slice(0, this.#options.maxMatches));
    const starts = plan.kind === 'planned' ? plan.launches.map(({ description }) => description) : [];
    const refusals = [ambiguityOf(found.trees, this.#options), plan.kind === 'refused' ? plan.reason : undefined];
    const warnings = describeStrangers(this.#table, found.strangers);
    return {
      stops,
      starts,
      refusals: refusals.filter((reason) => reason !== undefined),
      ...(warnings.length > 0 ? { warnings } : {}),
    };
  }

  async observe(managed: ManagedProcess, look?: TakeLook): Promise<void> {
    try {
      const known = this.#parts.roots.get(managed.systemName);
      // The whole table is looked over only after something has changed: most calls cost one small file.
      if (known.length > 0 && known.every((root) => this.#table.exists(root))) return;
      if (nameProblem(managed, this.#options.configured) !== undefined) return;
      const find = await this.#finder(managed, AbortSignal.timeout(OBSERVE_MS));
      const found = await find(await look?.());
      if (found.kind === 'found' && ambiguityOf(found.trees, this.#options) === undefined) this.#record(managed, found.trees);
    } catch (error) {
      this.#parts.log.debug(`Cannot record how ${managed.systemName} was started: ${errorMessage(error)}`, { err: error });
    }
  }

  async findRunning(managed: ManagedProcess, signal: AbortSignal, look?: TakeLook): Promise<RunningProcesses> {
    const problem = nameProblem(managed, this.#options.configured);
    if (problem !== undefined) return { kind: 'unknown', reason: problem };
    const find = await this.#finder(managed, signal);
    return foundRunning(this.#table, managed.systemName, await find(await look?.()), process.pid);
  }

  async #restart(attempt: RestartAttempt): Promise<RestartOutcome> {
    const managed = attempt.process;
    const find = await this.#finder(managed, attempt.signal);
    // Before anything is stopped, and before the look: it may take its time.
    const unready = await this.#parts.programs.unready(this.#options.commandTimeoutMs, attempt.signal);
    if (unready !== undefined) return failed(`not started: ${unready}`);
    const found = await find();
    if (found.kind === 'refused') return failed(found.reason);
    const ambiguity = ambiguityOf(found.trees, this.#options);
    if (ambiguity !== undefined) return failed(ambiguity);
    // Before anything is stopped: what could not be started again is better left as it is.
    const plan = await this.#planStart(managed, attempt.attempt, found.trees);
    if (plan.kind === 'refused') return { ...plan, kind: 'failed' };
    const [oldest] = found.trees;
    if (oldest !== undefined) rememberLaunch(this.#sight, this.#parts.launches, managed.systemName, oldest);
    if (oldest === undefined) return this.#start(attempt, plan, 'nothing was running');
    const supervisors = found.trees.map((tree) => supervisorOf(this.#table, tree, process.pid));
    const parts = { ...this.#parts, table: this.#table };
    const stopped = await stopProgram(attempt, found.trees, this.#options, parts);
    if (stopped.kind === 'failed') return stopped;
    const said = `stopped ${counted(stopped.processes, 'process', 'processes')}${stopped.killed > 0 ? ` (${stopped.killed} by SIGKILL)` : ''}`;
    const trees = async (): Promise<readonly ProcessTree[]> => treesOf(await find());
    if (await broughtBack(supervisors, async () => (await trees()).length > 0, parts, attempt.signal)) {
      return { kind: 'restarted', detail: `${said}, its supervisor started ${describePids(await trees())}` };
    }
    return this.#start(attempt, plan, said);
  }

  async #start(attempt: RestartAttempt, plan: StartPlan & { kind: 'planned' }, said: string): Promise<RestartOutcome> {
    const { systemName } = attempt.process;
    const pids: (number | undefined)[] = [];
    const remarks: string[] = [];
    for (const [index, { what, label }] of plan.launches.entries()) {
      if (attempt.signal.aborted) return failed(`${said}, aborted before it was started`);
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
    for (const remark of remarks)
      this.#parts.log.warning(`Not as ${systemName} was started before: ${remark}`, { process_name: systemName });
    const started = pids.map((pid) => (pid === undefined ? 'it' : `pid ${pid}`)).join(', ');
    return { kind: 'restarted', detail: [`${said}, started ${started}`, ...remarks].join('; ') };
  }

  get #sight(): LaunchSight {
    return { table: this.#table, starter: this.#parts.programs.starter };
  }

  #healthParts(managed: ManagedProcess): HealthParts {
    const finder = (within: AbortSignal) => this.#finder(managed, within);
    return { table: this.#table, clock: this.#parts.clock, stableMs: this.#options.stableTimeMs, finder };
  }

  /** How to look at what runs under the name; whose processes may be it is asked once. */
  async #finder(managed: ManagedProcess, signal: AbortSignal): Promise<(look?: ProcessLook) => Promise<Matches>> {
    const { systemName } = managed;
    const owners = await findOwners(this.#options, this.#parts.launches.get(systemName)?.uid, signal);
    if (owners.kind === 'refused') return async () => owners;
    return async (look) => {
      const found = await findTrees(this.#table, managed, this.#parts.roots.get(systemName), process.pid, owners, look);
      if (found.kind === 'found') await this.#tellStrangers(systemName, found.strangers);
      if (treesOf(found).length > 0) this.#seen.add(systemName);
      return found;
    };
  }

  /** Once for each user: whose process bears the name may be an administrator's doing, who changed the user of the service. */
  async #tellStrangers(systemName: string, strangers: readonly SeenProcess[]): Promise<void> {
    const breath = new Breath();
    for (const stranger of strangers) {
      if (breath.isDue) await breath.take();
      const { pid } = stranger;
      const key = `${systemName}\0${this.#table.read(pid, ['uids'])?.uids?.effective}`;
      if (this.#told.has(key) || this.#told.size >= MOST_TOLD) continue;
      this.#told.add(key);
      const [line] = describeStrangers(this.#table, [stranger]);
      this.#parts.log.warning(`Not taken for ${systemName}: ${line}`, { process_name: systemName, pid });
    }
  }

  #record(managed: ManagedProcess, trees: readonly ProcessTree[]): void {
    const [oldest] = trees;
    if (oldest === undefined) return;
    const wanted = this.#options.startCommand === undefined && !isFromCommand(this.#table, oldest.root.pid);
    if (wanted && !rememberLaunch(this.#sight, this.#parts.launches, managed.systemName, oldest)) return;
    const known = this.#parts.roots.get(managed.systemName);
    const roots = trees.flatMap(({ root: { pid, startTime, pgid, sid }, orphaned }) =>
      // As long as what it left behind runs, the one that is gone is what that is known by.
      orphaned ? known.filter((root) => root.pid === pgid || root.pid === sid) : [{ pid, startTime }],
    );
    this.#parts.roots.set(managed.systemName, roots);
  }

  async #planStart(managed: ManagedProcess, attempt: number, trees: readonly ProcessTree[]): Promise<StartPlan> {
    const stored = this.#parts.launches.get(managed.systemName);
    const running: RecalledLaunch[] = [];
    const breath = new Breath();
    for (const tree of trees) {
      if (breath.isDue) await breath.take();
      running.push(recallLaunch(this.#sight, running.length === 0 ? stored : undefined, tree));
    }
    return planStart(this.#options, managed, attempt, running, stored, process.env.PATH ?? defaultPath);
  }
}

function failed(reason: string): { readonly kind: 'failed'; readonly reason: string } {
  return { kind: 'failed', reason };
}

/** A program that fails within it says why. */
const GRACE_MS = 500;
/** Of as many strangers the log tells. */
const MOST_TOLD = 1000;
/** A look in passing waits no longer for a directory of users. */
const OBSERVE_MS = 2000;
