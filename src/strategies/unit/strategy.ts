import type { ManagedProcess } from '../../core/alarm.ts';
import { type Deadline, withDeadline } from '../../core/deadline.ts';
import type { HealthResult, RestartPreview } from '../../core/outcomes.ts';
import type { RunningProcesses } from '../../system/systemd/running-processes.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import { isUp } from '../../system/systemd/unit/state.ts';
import type {
  AlsoStarts,
  Explanation,
  Life,
  Meaning,
  Resolution,
  RestartAttempt,
  RestartOutcome,
  RestartStrategy,
  StrategyDefinition,
} from '../strategy.ts';
import { permitStop } from './actions/left-alive.ts';
import { restartUnit, type ServiceParts } from './actions/restart.ts';
import { lifeOfUnit, proveUnitLasts } from './health.ts';
import { lookUpUnit, type Unanswered, type UnitLookup, untilAnswered } from './lookup.ts';
import { UnitObservation } from './observation.ts';
import { parseServiceOptions, type ServiceOptions } from './options.ts';
import { previewUnit } from './preview.ts';
import { lookIntoUnit } from './processes.ts';
import { nothingKnown, permitBeside, type TakeKnown } from './programs/beside.ts';
import { alsoStartedWith } from './relations/also-started.ts';
import { permitUnnamed, type UnitPermission } from './relations/permission.ts';
import { runningIn } from './running.ts';
import { loadProblem } from './state.ts';
import { meaningOf, resolutionOf } from './target.ts';

/** `restart_strategy = service`: restarts a systemd unit. */
export const serviceStrategy = {
  parse: parseServiceOptions,
  create: (options, parts) => new ServiceStrategy(options, parts),
} satisfies StrategyDefinition<ServiceOptions>;

/** Restarts the unit that a name means. */
export class ServiceStrategy implements RestartStrategy {
  readonly name = 'service';
  readonly #options: ServiceOptions;
  readonly #parts: ServiceParts;
  /** Units that we began to restart and did not bring up: we may start what we have stopped, though it is inactive now. */
  readonly #touched = new Set<string>();
  /** When the last restart of a unit began, by its name, if it ended well. */
  readonly #broughtUpMs = new Map<string, number>();
  readonly #observation: UnitObservation;

  constructor(options: ServiceOptions, parts: ServiceParts) {
    this.#options = options;
    this.#parts = parts;
    this.#observation = new UnitObservation(parts);
  }

  /** What systemd has under the process's name. Never rejects. */
  lookUp(process: ManagedProcess, signal: AbortSignal): Promise<UnitLookup> {
    return lookUpUnit(this.#parts.services, process.systemName, this.#options.hasOwnSection, signal);
  }

  /** The same; waits for a systemd that does not answer, at most for `command_timeout`. */
  lookUpPatiently(process: ManagedProcess, signal: AbortSignal): Promise<UnitLookup> {
    return this.#patiently((within) => this.lookUp(process, within), signal);
  }

  /** lookUp in order to restart: `refused` also if the unit is masked, or more than the name alone may touch. Never rejects. */
  async lookUpToAct(process: ManagedProcess, signal: AbortSignal): Promise<UnitLookup> {
    const found = await this.lookUp(process, signal);
    if (found.kind !== 'found') return found;
    const permission = await this.#permit(found.status, signal);
    return permission.kind === 'permitted' ? found : permission;
  }

  /** lookUpToAct; waits for a systemd that does not answer, at most for `command_timeout`. */
  lookUpToActPatiently(process: ManagedProcess, signal: AbortSignal): Promise<UnitLookup> {
    return this.#patiently((within) => this.lookUpToAct(process, within), signal);
  }

  async resolve(process: ManagedProcess, signal: AbortSignal): Promise<Resolution> {
    const found = await this.lookUpToActPatiently(process, signal);
    return resolutionOf(found);
  }

  async means(process: ManagedProcess, signal: AbortSignal): Promise<Meaning> {
    const found = await this.lookUpPatiently(process, signal);
    return meaningOf(found, process.systemName);
  }

  /** `known`: what else identifies the program, see KnownProgram. */
  async restart(
    { process, signal, outsideSlot = (wait) => wait(), isUnwanted = async () => false }: RestartAttempt,
    known: TakeKnown = nothingKnown,
  ): Promise<RestartOutcome> {
    const begunMs = this.#parts.clock.monotonicMs();
    let id = '';
    const outcome = await restartUnit(this.#parts, {
      lookUp: async (signal) => {
        const found = await this.lookUp(process, signal);
        if (found.kind === 'found') id = found.status.id;
        return found;
      },
      permit: async (status, signal) => {
        // That it has processes is remembered before they are stopped.
        if (status.remainsAfterExit && isUp(status)) await lookIntoUnit(this.#parts, status, signal);
        const permission = await this.#permit(status, signal);
        if (permission.kind !== 'permitted') return permission;
        return isUp(status) ? permitStop(this.#parts, status, signal) : permitBeside(this.#parts, status, known, signal);
      },
      touched: this.#touched,
      limitMs: this.#options.commandTimeoutMs,
      signal,
      outsideSlot,
      isUnwanted,
    });
    if (outcome.kind === 'restarted') this.#broughtUpMs.set(id, begunMs);
    else this.#broughtUpMs.delete(id);
    return outcome;
  }

  /**
   * Why the unit, which is down, must not be started: its program runs outside of it. One line; undefined if it may be started,
   * or if that cannot be determined.
   */
  async outside(process: ManagedProcess, known: TakeKnown, signal: AbortSignal): Promise<string | undefined> {
    const found = await this.lookUp(process, signal);
    const permission = found.kind === 'found' ? await permitBeside(this.#parts, found.status, known, signal) : undefined;
    return permission?.kind === 'refused' ? permission.reason : undefined;
  }

  async alsoStarts(process: ManagedProcess, signal: AbortSignal): Promise<AlsoStarts> {
    const found = await this.#patiently((within) => this.#alsoStarted(process, within), signal);
    return found.kind === 'unanswered' ? { kind: 'unknown', reason: found.reason } : found;
  }

  checkHealth(
    process: ManagedProcess,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HealthResult | { readonly kind: 'assumed' }> {
    const { stableTimeMs, healthCheckTimeoutMs } = this.#options;
    const usualMs = Math.min(stableTimeMs, LASTING_MS, healthCheckTimeoutMs / 2);
    return this.prove(process, usualMs + Math.max(stableTimeMs - LASTING_MS, 0), timeoutMs, signal);
  }

  /** checkHealth with a given time that the unit must last. */
  prove(
    process: ManagedProcess,
    lastingMs: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HealthResult | { readonly kind: 'assumed' }> {
    const lookUp = (signal: AbortSignal) => this.lookUp(process, signal);
    const broughtUpMs = (unit: string) => this.#broughtUpMs.get(unit);
    return proveUnitLasts(this.#parts, { lookUp, lastingMs, timeoutMs, broughtUpMs, signal });
  }

  async findRunning(process: ManagedProcess, signal: AbortSignal): Promise<RunningProcesses> {
    const found = await this.lookUp(process, signal);
    return runningIn(this.#parts, found, signal);
  }

  life(process: ManagedProcess, signal: AbortSignal): Promise<Life | undefined> {
    return lifeOfUnit(this.#parts, (signal) => this.lookUp(process, signal), signal);
  }

  observeUnit(process: ManagedProcess, signal: AbortSignal): Promise<number | undefined> {
    return this.#observation.look(process.systemName, (signal) => this.lookUp(process, signal), signal);
  }

  /** `known`: as for `restart`. */
  async preview(process: ManagedProcess, signal: AbortSignal, known: TakeKnown = nothingKnown): Promise<RestartPreview> {
    const found = await this.lookUpToAct(process, signal);
    const refusal = found.kind === 'found' ? loadProblem(found.status) : found.reason;
    if (found.kind !== 'found' || refusal !== undefined) return { stops: [], starts: [], refusals: refusal ? [refusal] : [] };
    const outside = await this.outside(process, known, signal);
    if (outside !== undefined) return { stops: [], starts: [], refusals: [outside] };
    const left = isUp(found.status) ? await permitStop(this.#parts, found.status, signal) : undefined;
    if (left?.kind === 'refused') return { stops: [], starts: [], refusals: [left.reason] };
    return previewUnit(this.#parts, found.status, this.#options.commandTimeoutMs, signal);
  }

  /** What systemd says about the unit if it is not up, and the last lines of its life. */
  async explain(process: ManagedProcess, signal: AbortSignal): Promise<Explanation> {
    const found = await this.lookUp(process, signal);
    return found.kind === 'found' ? this.#parts.services.explain(found.status.id, signal) : { reason: undefined, output: [] };
  }

  async #permit(status: UnitStatus, signal: AbortSignal): Promise<UnitPermission> {
    if (status.loadState === 'masked') return { kind: 'refused', reason: loadProblem(status) ?? '' };
    if (this.#options.hasOwnSection) return { kind: 'permitted' };
    return permitUnnamed(this.#parts.services, status, this.#touched.has(status.id), signal);
  }

  async #alsoStarted(process: ManagedProcess, signal: AbortSignal): Promise<AlsoStarts | Unanswered> {
    const found = await this.lookUp(process, signal);
    if (found.kind === 'unanswered') return found;
    return found.kind === 'found' ? alsoStartedWith(this.#parts.services, found.status, signal) : { kind: 'known', units: [] };
  }

  #patiently<T extends { readonly kind: string }>(
    look: (signal: AbortSignal) => Promise<T | Unanswered>,
    signal: AbortSignal,
  ): Promise<T | Unanswered> {
    const { clock } = this.#parts;
    const run = (deadline: Deadline) => untilAnswered(clock, look, deadline.signal);
    return withDeadline(clock, this.#options.commandTimeoutMs, signal, run);
  }
}

/** The part of `stable_time` that is taken from `health_check_timeout`; half of `health_check_timeout` if that is shorter. */
const LASTING_MS = 1000;
