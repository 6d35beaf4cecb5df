import type { ManagedProcess } from '../../core/alarm.ts';
import { DEFAULT_SECTION } from '../../core/config.ts';
import type { HealthResult, RestartPreview } from '../../core/outcomes.ts';
import { findAccount } from '../../system/spawn/user-account.ts';
import type { RunningProcesses } from '../../system/systemd/running-processes.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import { startDeadline } from '../deadline.ts';
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
import { alsoStartedWith } from './also.ts';
import { describeLook, lifeOfUnit, proveUnitLasts } from './health.ts';
import { lookUpUnit, type Unanswered, type UnitLookup, untilAnswered } from './lookup.ts';
import { serviceName } from './name-policy.ts';
import { UnitObservation } from './observation.ts';
import { type KnownProgram, runningOutside, unknownProgram } from './outside.ts';
import { permitUnnamed, type UnitPermission } from './permission.ts';
import { lookIntoUnit } from './processes.ts';
import { isDueWithin, restartUnit, type ServiceParts } from './restart.ts';
import { describeState, describeUnit, isRestartedBySystemd, isUp, loadProblem, nextStep } from './state.ts';
import { waitsForTrigger } from './triggers.ts';

/** What the service strategy takes from `[process.NAME]`. */
export interface ServiceOptions {
  /** The process has a section of its own: the system's own services may be restarted. */
  readonly hasOwnSection: boolean;
  /** `command_timeout`: limit of a restart, and of waiting for systemd's own; a unit that hangs has as much again; default 60 s. */
  readonly commandTimeoutMs: number;
  /** `health_check_timeout`; default 5 s. */
  readonly healthCheckTimeoutMs: number;
  /** `stable_time`: how long a unit must stay active to be well; default 1 s, 0: one look will do. */
  readonly stableTimeMs: number;
}

/** `restart_strategy = service`: restarts a systemd unit. */
export const serviceStrategy = {
  parse: (section) => ({
    hasOwnSection: section.section !== DEFAULT_SECTION,
    commandTimeoutMs: section.secondsAsMs('command_timeout', { default: 60, min: 0.1 }),
    healthCheckTimeoutMs: section.secondsAsMs('health_check_timeout', { default: 5, min: 0.1 }),
    stableTimeMs: section.secondsAsMs('stable_time', { default: 1, max: 3600 }),
  }),
  create: (options, parts) => new ServiceStrategy(options, parts),
} satisfies StrategyDefinition<ServiceOptions>;

/** Restarts the unit that a name means. */
export class ServiceStrategy implements RestartStrategy {
  readonly name = 'service';
  readonly #options: ServiceOptions;
  readonly #parts: ServiceParts;
  /** Units that we began to restart and did not bring up: what we have stopped we may start, though it is inactive now. */
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

  /** The same, waiting for a systemd that does not answer, at most for `command_timeout`. */
  lookUpPatiently(process: ManagedProcess, signal: AbortSignal): Promise<UnitLookup> {
    return this.#patiently((within) => this.lookUp(process, within), signal);
  }

  /** lookUp for whoever means to restart it: `refused` also if it is masked, or more than the name alone may touch. Never rejects. */
  async lookUpToAct(process: ManagedProcess, signal: AbortSignal): Promise<UnitLookup> {
    const found = await this.lookUp(process, signal);
    if (found.kind !== 'found') return found;
    const permission = await this.#permit(found.status, signal);
    return permission.kind === 'permitted' ? found : permission;
  }

  /** lookUpToAct, waiting for a systemd that does not answer, at most for `command_timeout`. */
  lookUpToActPatiently(process: ManagedProcess, signal: AbortSignal): Promise<UnitLookup> {
    return this.#patiently((within) => this.lookUpToAct(process, within), signal);
  }

  /** A unit that systemd does not know is a target all the same: its recovery fails, and its breaker counts it. */
  async resolve(process: ManagedProcess, signal: AbortSignal): Promise<Resolution> {
    const found = await this.lookUpToActPatiently(process, signal);
    switch (found.kind) {
      case 'found':
        return { kind: 'target', key: serviceName(found.status.id), description: `unit ${found.status.id}` };
      case 'absent':
        return { kind: 'target', key: serviceName(found.unit), description: `unit ${found.unit}` };
      // Its own name will not do for a key then: it may be an alias of a unit whose recovery is under way.
      case 'unanswered':
        return { kind: 'refused', reason: found.reason, unanswered: true };
      case 'impossible':
      case 'refused':
        return { kind: 'refused', reason: found.reason };
      default:
        return found satisfies never;
    }
  }

  async means(process: ManagedProcess, signal: AbortSignal): Promise<Meaning> {
    const found = await this.lookUpPatiently(process, signal);
    switch (found.kind) {
      case 'found':
        return { kind: 'target', key: serviceName(found.status.id) };
      case 'absent':
        return { kind: 'target', key: serviceName(found.unit) };
      case 'refused':
        return { kind: 'target', key: serviceName(found.unit ?? process.systemName) };
      case 'impossible':
        return { kind: 'nothing' };
      case 'unanswered':
        return { kind: 'unknown', reason: found.reason };
      default:
        return found satisfies never;
    }
  }

  /** `known`: what else the program is known by, as KnownProgram. */
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
        if (isUp(status)) await lookIntoUnit(this.#parts, status, signal);
        const permission = await this.#permit(status, signal);
        return permission.kind === 'permitted' ? this.#permitBeside(status, known, signal) : permission;
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

  /** Why the unit, which is down, must not be started: its program runs outside of it. One line; undefined where it may, or that cannot be told. */
  async outside(process: ManagedProcess, known: TakeKnown, signal: AbortSignal): Promise<string | undefined> {
    const found = await this.lookUp(process, signal);
    const permission = found.kind === 'found' ? await this.#permitBeside(found.status, known, signal) : undefined;
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

  /** checkHealth with a time of the caller's that the unit must last. */
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
    switch (found.kind) {
      case 'found': {
        const look = await lookIntoUnit(this.#parts, found.status, signal);
        if (look.kind === 'unanswered') return { kind: 'unknown', reason: look.reason };
        const { status, processes, isHollow } = look;
        const waits = processes.length === 0 && (await waitsForTrigger(this.#parts.services, status, signal));
        const running = { kind: 'found', key: serviceName(status.id), processes, unit: status.id, status } as const;
        return { ...running, ...(isHollow && { isHollow }), ...(waits && { waitsForTrigger: waits }) };
      }
      case 'absent':
        return { kind: 'found', key: serviceName(found.unit), processes: [], unit: undefined, status: undefined };
      case 'unanswered':
      case 'impossible':
      case 'refused':
        return { kind: 'unknown', reason: found.reason };
      default:
        return found satisfies never;
    }
  }

  life(process: ManagedProcess, signal: AbortSignal): Promise<Life | undefined> {
    return lifeOfUnit(this.#parts, (signal) => this.lookUp(process, signal), signal);
  }

  observeUnit(process: ManagedProcess, signal: AbortSignal): Promise<number | undefined> {
    return this.#observation.look(process.systemName, (signal) => this.lookUp(process, signal), signal);
  }

  /** `known`: as of `restart`. */
  async preview(process: ManagedProcess, signal: AbortSignal, known: TakeKnown = nothingKnown): Promise<RestartPreview> {
    const found = await this.lookUpToAct(process, signal);
    const refusal = found.kind === 'found' ? loadProblem(found.status) : found.reason;
    if (found.kind !== 'found' || refusal !== undefined) return { stops: [], starts: [], refusals: refusal ? [refusal] : [] };
    const outside = await this.outside(process, known, signal);
    if (outside !== undefined) return { stops: [], starts: [], refusals: [outside] };
    const { id } = found.status;
    const step = (await this.#isDueLate(found.status, signal)) ? 'restart' : nextStep(found.status);
    const look = await lookIntoUnit(this.#parts, found.status, signal);
    return {
      stops: step === 'restart' ? [look.kind === 'seen' ? describeLook(look) : describeUnit(found.status)] : [],
      starts: [step === 'wait' ? `${id}: systemd is just restarting it itself, and is waited for` : `systemctl ${step} ${id}`],
      refusals: [],
    };
  }

  /** What systemd has to say of the unit where it is not up, and the last lines of its life. */
  async explain(process: ManagedProcess, signal: AbortSignal): Promise<Explanation> {
    const found = await this.lookUp(process, signal);
    return found.kind === 'found' ? this.#parts.services.explain(found.status.id, signal) : { reason: undefined, output: [] };
  }

  /** systemd is to restart it by itself, and not within `command_timeout`. */
  async #isDueLate(status: UnitStatus, signal: AbortSignal): Promise<boolean> {
    if (!isRestartedBySystemd(status)) return false;
    const due = await this.#parts.services.restartDue(status.id, signal);
    return due.kind === 'known' && !isDueWithin(due.dueMs, this.#options.commandTimeoutMs, this.#parts.clock);
  }

  async #permit(status: UnitStatus, signal: AbortSignal): Promise<UnitPermission> {
    if (status.loadState === 'masked') return { kind: 'refused', reason: loadProblem(status) ?? '' };
    if (this.#options.hasOwnSection) return { kind: 'permitted' };
    return permitUnnamed(this.#parts.services, status, this.#touched.has(status.id), signal);
  }

  /** Never a second copy: what an administrator has started by hand is not in the unit's control group. */
  async #permitBeside(status: UnitStatus, known: TakeKnown, signal: AbortSignal): Promise<UnitPermission> {
    const { id, loadState, activeState, type } = status;
    const isDown = activeState === 'inactive' || activeState === 'failed';
    // Of what does its work and ends, several may be at work.
    if (!isDown || loadState !== 'loaded' || type === 'oneshot') return { kind: 'permitted' };
    const told = await this.#parts.services.program(id, signal);
    if (told.kind === 'failed')
      return { kind: 'unanswered', reason: `systemd does not say what ${id} executes: ${told.reason}`, why: told.reason };
    const { program } = told;
    const account = program.user === '' ? undefined : await findAccount(program.user, signal);
    const uids = account?.kind === 'found' ? [0, account.account.uid] : [0];
    const pids = await runningOutside(this.#parts.table, { id, program, uids }, await known(signal));
    if (pids.length === 0) return { kind: 'permitted' };
    const shown = pids.slice(0, SHOWN_PIDS).join(', ');
    return {
      kind: 'refused',
      reason: `${id} is ${describeState(status)}, and its program runs outside of it (pid ${shown}): a start would make a second copy (stop that one, or set restart_strategy = process)`,
    };
  }

  async #alsoStarted(process: ManagedProcess, signal: AbortSignal): Promise<AlsoStarts | Unanswered> {
    const found = await this.lookUp(process, signal);
    if (found.kind === 'unanswered') return found;
    return found.kind === 'found' ? alsoStartedWith(this.#parts.services, found.status, signal) : { kind: 'known', units: [] };
  }

  async #patiently<T extends { readonly kind: string }>(
    look: (signal: AbortSignal) => Promise<T | Unanswered>,
    signal: AbortSignal,
  ): Promise<T | Unanswered> {
    const { clock } = this.#parts;
    const deadline = startDeadline(clock, this.#options.commandTimeoutMs, signal);
    try {
      return await untilAnswered(clock, look, deadline.signal);
    } finally {
      deadline.end();
    }
  }
}

/** How to see what runs of a program that is known by more than its unit. Never rejects. */
export type TakeKnown = (signal: AbortSignal) => Promise<KnownProgram>;

/** Of a program of which no more is known than its unit. */
export const nothingKnown: TakeKnown = async () => unknownProgram;

const SHOWN_PIDS = 10;

/** What of `stable_time` is taken from `health_check_timeout`; half of `health_check_timeout` where that is shorter. */
const LASTING_MS = 1000;
