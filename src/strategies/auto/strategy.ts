// The auto strategy: a unit if there is one, else a program.
import type { ManagedProcess } from '../../core/alarm.ts';
import { startDeadline, withDeadline } from '../../core/deadline.ts';
import type { HealthResult, RestartPreview } from '../../core/outcomes.ts';
import type { ProgramMarks } from '../../core/program/marks.ts';
import type { TakeLook } from '../../system/proc/look.ts';
import type { OtherSupervisor, RunningProcesses } from '../../system/systemd/running-processes.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import { appUnit } from '../../system/systemd/unit/name.ts';
import { isUp } from '../../system/systemd/unit/state.ts';
import { nothingOfEitherKind } from '../process/launch-words.ts';
import type { ProcessOptions } from '../process/options.ts';
import { cannotLook, standingIn } from '../process/running/found-running.ts';
import { processStrategy } from '../process/strategy.ts';
import {
  type AlsoStarts,
  type Explanation,
  type LaunchesNow,
  type Life,
  type Meaning,
  meaningOf,
  type Resolution,
  type RestartAttempt,
  type RestartOutcome,
  type RestartStrategy,
  type StrategyDefinition,
  type StrategyParts,
} from '../strategy.ts';
import { findMask, type Mask } from '../unit/mask.ts';
import type { ServiceOptions } from '../unit/options.ts';
import type { TakeKnown } from '../unit/programs/beside.ts';
import { unknownProgram } from '../unit/programs/outside.ts';
import { describeUnit, isAbsent } from '../unit/state.ts';
import { type ServiceStrategy, serviceStrategy } from '../unit/strategy.ts';
import { type Choice, choiceFor } from './choice.ts';
import { restartOrFallBack } from './fallback.ts';

/** The options that the auto strategy reads from `[process.NAME]`. */
interface AutoOptions {
  readonly service: ServiceOptions;
  readonly process: ProcessOptions;
  /** `start_command` is set: if the unit fails, the process strategy follows. */
  readonly fallsBack: boolean;
}

/** `restart_strategy = auto`: service if systemd knows a unit of that name, else process. */
export const autoStrategy = {
  parse: (section) => ({
    service: serviceStrategy.parse(section),
    process: processStrategy.parse(section),
    fallsBack: section.command('start_command') !== undefined,
  }),
  create: ({ service, process, fallsBack }, parts) =>
    new AutoStrategy(serviceStrategy.create(service, parts), processStrategy.create(process, parts), {
      ...parts,
      fallsBack,
      commandTimeoutMs: service.commandTimeoutMs,
    }),
} satisfies StrategyDefinition<AutoOptions>;

/** What the choice needs besides the two strategies. */
interface AutoParts extends Pick<StrategyParts, 'services' | 'programs' | 'clock' | 'roots'> {
  readonly fallsBack: boolean;
  readonly commandTimeoutMs: number;
}

/** Restarts a unit if there is one, else a program: it chooses again at each call. */
export class AutoStrategy implements RestartStrategy {
  readonly name = 'auto';
  readonly #service: ServiceStrategy;
  readonly #process: RestartStrategy;
  readonly #parts: AutoParts;

  constructor(service: ServiceStrategy, process: RestartStrategy, parts: AutoParts) {
    this.#service = service;
    this.#process = process;
    this.#parts = parts;
  }

  async resolve(process: ManagedProcess, signal: AbortSignal): Promise<Resolution> {
    const choice = choiceFor(await this.#service.lookUpToActPatiently(process, signal));
    if (choice.kind === 'none') return { ...choice, kind: 'refused' };
    const resolution = await this.#of(choice).resolve(process, signal);
    if (choice.kind === 'service' || resolution.kind === 'refused') return resolution;
    // Only now: by this time it is known which unit the program runs in.
    const mask = await this.#mask(process, signal);
    const masked = inWords(mask);
    if (masked === undefined) return resolution;
    return { kind: 'refused', reason: masked, ...(mask.kind === 'unanswered' ? { unanswered: true } : {}) };
  }

  async restart(attempt: RestartAttempt): Promise<RestartOutcome> {
    const choice = choiceFor(await this.#service.lookUpToActPatiently(attempt.process, attempt.signal));
    if (choice.kind === 'none') return { kind: 'failed', reason: choice.reason };
    if (choice.kind === 'process') {
      const masked = await this.#masked(attempt.process, attempt.signal);
      if (masked !== undefined) return { kind: 'failed', reason: masked };
      const outcome = await this.#process.restart(attempt);
      return outcome.kind === 'failed'
        ? { ...outcome, reason: ofEitherKind(choice, attempt.process)(outcome.reason) }
        : outcome;
    }
    return this.#parts.fallsBack
      ? restartOrFallBack(attempt, this.#known(attempt.process), {
          ...this.#parts,
          service: this.#service,
          program: this.#process,
        })
      : this.#service.restart(attempt, this.#known(attempt.process));
  }

  async checkHealth(
    process: ManagedProcess,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HealthResult | { readonly kind: 'assumed' }> {
    const deadline = startDeadline(this.#parts.clock, timeoutMs, signal);
    try {
      const choice = await this.#choose(process, deadline.signal);
      if (choice.kind === 'none')
        return { kind: 'unhealthy', reason: choice.reason, ...(choice.unanswered && { unseen: true }) };
      const health = await this.#of(choice).checkHealth(process, deadline.remainingMs() || 1, signal);
      if (health.kind === 'healthy' || choice.kind === 'process' || !this.#parts.fallsBack) return health;
      // A one-shot that was given up is at rest like one that has done its work.
      if (health.kind === 'assumed' && (await this.#standIn(process, deadline.signal)) === undefined) return health;
      const instead = await this.#process.checkHealth(process, deadline.remainingMs() || 1, signal);
      return instead.kind === 'unhealthy' && health.kind === 'unhealthy'
        ? { ...instead, ...(health.unseen && { unseen: true }), reason: `${health.reason}; ${instead.reason}` }
        : instead;
    } finally {
      deadline.end();
    }
  }

  async explain(process: ManagedProcess, signal: AbortSignal): Promise<Explanation> {
    const { kind } = await this.#choose(process, signal);
    return kind === 'service' ? this.#service.explain(process, signal) : { reason: undefined, output: [] };
  }

  async life(process: ManagedProcess, signal: AbortSignal): Promise<Life | undefined> {
    const choice = await this.#choose(process, signal);
    const life = choice.kind === 'none' ? undefined : await this.#of(choice).life?.(process, signal);
    if (life !== undefined || !this.#parts.fallsBack || choice.kind === 'process') return life;
    // A one-shot that is at rest has done its work, unless its program was started in its place.
    return (await this.#standIn(process, signal)) === undefined ? undefined : this.#process.life?.(process, signal);
  }

  async preview(process: ManagedProcess, signal: AbortSignal): Promise<RestartPreview> {
    const found = await this.#service.lookUpToAct(process, signal);
    const choice = choiceFor(found);
    if (choice.kind === 'none') return { stops: [], starts: [], refusals: [choice.reason] };
    if (choice.kind === 'process') {
      const [preview, masked] = [await this.#process.preview(process, signal), await this.#masked(process, signal)];
      if (masked === undefined) return { ...preview, refusals: preview.refusals.map(ofEitherKind(choice, process)) };
      const { commands: _, ...looked } = preview;
      const others = preview.refusals.filter((refusal) => refusal !== masked);
      return { ...looked, starts: [], refusals: [masked, ...others] };
    }
    const preview = await this.#service.preview(process, signal, this.#known(process));
    if (!this.#parts.fallsBack) return preview;
    if (preview.refusals.length > 0) {
      // Its program is not started beside a unit that is up.
      const isUpItself = found.kind === 'found' && isUp(found.status);
      const isOutside = isUpItself || (await this.#service.outside(process, this.#known(process), signal)) !== undefined;
      return isOutside ? preview : this.#process.preview(process, signal);
    }
    const standIn = await this.#standIn(process, signal);
    return standIn === undefined ? preview : { ...preview, stops: [describeUnit(standIn), ...preview.stops] };
  }

  async means(process: ManagedProcess, signal: AbortSignal): Promise<Meaning> {
    const found = await this.#service.lookUpPatiently(process, signal);
    const isProgram = choiceFor(found).kind === 'process';
    return isProgram ? meaningOf(this.#process, process, signal) : this.#service.means(process, signal);
  }

  async alsoStarts(process: ManagedProcess, signal: AbortSignal): Promise<AlsoStarts> {
    const { kind } = await this.#choose(process, signal);
    const program = this.#process.alsoStarts;
    if (kind === 'process' && program !== undefined) return program.call(this.#process, process, signal);
    return this.#service.alsoStarts(process, signal);
  }

  /** Does not query systemd: it is called while all is well, and must cost next to nothing. */
  async observe(process: ManagedProcess, look?: TakeLook): Promise<void> {
    await this.#process.observe?.(process, look);
  }

  observeUnit(process: ManagedProcess, signal: AbortSignal): Promise<number | undefined> {
    return this.#service.observeUnit(process, signal);
  }

  marks(process: ManagedProcess): ProgramMarks {
    return this.#process.marks?.(process) ?? {};
  }

  /** Queries systemd only if there is a concern. */
  async concern(process: ManagedProcess, look?: TakeLook): Promise<string | undefined> {
    const concern = await this.#process.concern?.(process, look);
    if (concern === undefined) return undefined;
    const choice = await withDeadline(this.#parts.clock, CONCERN_MS, undefined, ({ signal }) => this.#choose(process, signal));
    return choice.kind === 'process' ? concern : undefined;
  }

  async launchesNow(process: ManagedProcess, signal: AbortSignal): Promise<LaunchesNow> {
    const choice = await this.#choose(process, signal);
    if (choice.kind === 'none') return { kind: 'refused', reason: choice.reason };
    const now = choice.kind === 'process' ? await this.#process.launchesNow?.(process, signal) : undefined;
    return now ?? { kind: 'refused', reason: 'it is restarted through its unit, which needs no pin' };
  }

  async findRunning(process: ManagedProcess, signal: AbortSignal, look?: TakeLook): Promise<RunningProcesses> {
    const choice = await this.#choose(process, signal);
    if (choice.kind === 'none') return { kind: 'unknown', reason: choice.reason };
    const program = async () => (await this.#process.findRunning?.(process, signal, look)) ?? cannotLook;
    if (choice.kind === 'process') return program();
    const unit = await this.#service.findRunning(process, signal);
    const isDown = unit.kind === 'found' && unit.processes.length === 0;
    return isDown && this.#parts.fallsBack ? standingIn(unit, await program()) : unit;
  }

  supervisor(process: ManagedProcess): OtherSupervisor | undefined {
    return this.#process.supervisor?.(process);
  }

  async #choose(process: ManagedProcess, signal: AbortSignal): Promise<Choice> {
    return choiceFor(await this.#service.lookUp(process, signal));
  }

  /**
   * Why a program must not be restarted or started: a unit that it stands for is masked, or that cannot be determined. One
   * line.
   */
  async #masked(process: ManagedProcess, signal: AbortSignal): Promise<string | undefined> {
    return inWords(await this.#mask(process, signal));
  }

  #mask(process: ManagedProcess, signal: AbortSignal): Promise<Mask> {
    const { services, roots } = this.#parts;
    return findMask(services, this.name, process, roots.lastUnit(process.systemName), signal);
  }

  #of(choice: Exclude<Choice, { kind: 'none' }>): RestartStrategy {
    return choice.kind === 'service' ? this.#service : this.#process;
  }

  /** What runs of the program according to the witnesses of the process strategy, in its unit or not. */
  #known(process: ManagedProcess): TakeKnown {
    return async (signal) => {
      const found = await this.#process.findRunning?.(process, signal);
      const { pidFile, argument } = this.marks(process);
      const isMarked = pidFile !== undefined || argument !== undefined;
      const program = found?.kind === 'found' ? { processes: found.processes, isMarked } : unknownProgram;
      // A restart ends that one before it starts the unit.
      return this.#parts.fallsBack ? { ...program, standIn: process.systemName } : program;
    };
  }

  /** The unit in which an earlier fallback started the program, whatever its state. */
  async #standIn({ systemName }: ManagedProcess, signal: AbortSignal): Promise<UnitStatus | undefined> {
    const shown = await this.#parts.services.show(appUnit(systemName), signal);
    return shown.kind === 'status' && !isAbsent(shown.status) ? shown.status : undefined;
  }
}

/** Completes a reason that there is no program by the fact that there is no unit either, if that is so. */
function ofEitherKind({ noUnit }: { readonly noUnit?: string }, { processName }: ManagedProcess): (reason: string) => string {
  return (reason) => (noUnit === undefined ? reason : nothingOfEitherKind(reason, noUnit, processName));
}

function inWords(mask: Mask): string | undefined {
  if (mask.kind === 'masked') return `${mask.unit} is masked`;
  return mask.kind === 'unanswered' ? mask.reason : undefined;
}

/** A systemd that hangs must not delay the rounds. */
const CONCERN_MS = 5000;
