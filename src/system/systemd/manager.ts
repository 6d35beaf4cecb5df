import { statSync } from 'node:fs';
import { constants } from 'node:os';
import type { Logger } from '../../core/logger.ts';
import { Slots } from '../../core/slots.ts';
import { callFailure } from './call-failure.ts';
import { CONDITION_PROPERTIES, unmetCondition, untestedConditions } from './condition-words.ts';
import type { Limit } from './dbus/connection.ts';
import { explainUnit } from './explain.ts';
import { runJob } from './jobs.ts';
import type { Pid1Call } from './link.ts';
import { Pid1 } from './pid1.ts';
import { type Properties, type PropertyNames, readProperties, textOf } from './properties.ts';
import type {
  KillingResult,
  SeenEnd,
  ServiceCallResult,
  ServiceContact,
  ServiceManager,
  ServiceVerb,
  UnitEnd,
  UnitExplanation,
  UnitProcesses,
  UnitProgram,
  UnitRelations,
  UnitStatus,
} from './service-manager.ts';
import { END_PROPERTIES, unitEnd } from './unit/end.ts';
import { PROGRAM_PROPERTIES, unitProgram } from './unit/program.ts';
import { RELATION_PROPERTIES, unitRelations } from './unit/relations.ts';
import { RESTART_PROPERTIES, restartDueMs } from './unit/restart-due.ts';
import { STATUS_PROPERTIES, unitStatus } from './unit/status.ts';
import { UnitWatches } from './watches.ts';

/** The systemd that runs as PID 1. We call it over D-Bus: its own socket, or the system bus. */
export class Systemd implements ServiceManager {
  readonly #pid1: Pid1;
  readonly #watches: UnitWatches;
  /** A thousand watched units ask at once, and PID 1 has other work too. */
  readonly #slots = new Slots(QUESTIONS);

  constructor(pid1: Pid1 = new Pid1(), log?: Logger) {
    this.#pid1 = pid1;
    this.#watches = new UnitWatches(pid1.busAddress, log);
  }

  get available(): boolean {
    return statSync('/run/systemd/system', { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  async show(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'status'; readonly status: UnitStatus } | { readonly kind: 'failed'; readonly reason: string }> {
    const asked = await this.#ask(unit, STATUS_PROPERTIES, signal);
    return asked.kind === 'known' ? unitStatus(asked.values) : asked;
  }

  async relations(
    unit: string,
    signal: AbortSignal,
  ): Promise<
    { readonly kind: 'known'; readonly relations: UnitRelations } | { readonly kind: 'failed'; readonly reason: string }
  > {
    const asked = await this.#ask(unit, RELATION_PROPERTIES, signal);
    if (asked.kind === 'failed') return asked;
    const relations = unitRelations(asked.values);
    return relations === undefined
      ? { kind: 'failed', reason: 'systemd did not report how the unit is related to others' }
      : { kind: 'known', relations };
  }

  async end(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly end: UnitEnd } | { readonly kind: 'failed'; readonly reason: string }> {
    const asked = await this.#ask(unit, END_PROPERTIES, signal);
    const result = asked.kind === 'failed' ? asked : unitEnd(asked.values);
    if (result.kind === 'failed') return result;
    const seen = await this.#watches.seenEnd(result.end.status.id, { timeoutMs: SHOW_LIMIT_MS, signal });
    return { kind: 'known', end: { ...result.end, seen } };
  }

  signalledEnd(unit: string): SeenEnd | undefined {
    return this.#watches.signalledEnd(unit);
  }

  async program(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly program: UnitProgram } | { readonly kind: 'failed'; readonly reason: string }> {
    const asked = await this.#ask(unit, PROGRAM_PROPERTIES, signal);
    return asked.kind === 'failed' ? asked : { kind: 'known', program: unitProgram(asked.values) };
  }

  async killMode(unit: string, signal: AbortSignal): Promise<KillingResult> {
    const asked = await this.#ask(unit, { Unit: [], Service: ['KillMode', 'SendSIGKILL'] }, signal);
    if (asked.kind === 'failed') return asked;
    const isForbidden = asked.values.get('SendSIGKILL') === false;
    return { kind: 'known', killMode: textOf(asked.values, 'KillMode'), ...(isForbidden && { forbidsSigkill: true }) };
  }

  async remainsAfterExit(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly remains: boolean } | { readonly kind: 'failed'; readonly reason: string }> {
    const asked = await this.#ask(unit, { Unit: [], Service: ['RemainAfterExit'] }, signal);
    return asked.kind === 'failed' ? asked : { kind: 'known', remains: asked.values.get('RemainAfterExit') === true };
  }

  async call(verb: ServiceVerb, unit: string, timeoutMs: number, signal: AbortSignal): Promise<ServiceCallResult> {
    if (!this.available) return NO_SYSTEMD;
    const limit = { timeoutMs, signal };
    if (verb === 'reset-failed') return this.#order({ member: 'ResetFailedUnit', signature: 's', values: [unit] }, limit);
    return verb === 'stop-alone'
      ? runJob(this.#pid1, 'stop', unit, limit, 'ignore-dependencies')
      : runJob(this.#pid1, verb, unit, limit);
  }

  async kill(unit: string, which: UnitProcesses, timeoutMs: number, signal: AbortSignal): Promise<ServiceCallResult> {
    if (!this.available) return NO_SYSTEMD;
    const call = { member: 'KillUnit', signature: 'ssi', values: [unit, which, constants.signals.SIGKILL] };
    return this.#order(call, { timeoutMs, signal });
  }

  async restartDue(
    unit: string,
    signal: AbortSignal,
  ): Promise<
    { readonly kind: 'known'; readonly dueMs: number | undefined } | { readonly kind: 'failed'; readonly reason: string }
  > {
    const asked = await this.#ask(unit, RESTART_PROPERTIES, signal);
    return asked.kind === 'known' ? { kind: 'known', dueMs: restartDueMs(asked.values) } : asked;
  }

  async conditions(unit: string, signal: AbortSignal): Promise<string | undefined> {
    const asked = await this.#ask(unit, CONDITION_PROPERTIES, signal);
    return asked.kind === 'failed' ? undefined : (unmetCondition(asked.values) ?? untestedConditions(asked.values));
  }

  async explain(unit: string, signal: AbortSignal): Promise<UnitExplanation> {
    if (!this.available) return { reason: undefined, output: [] };
    return explainUnit(this.#pid1, unit, { timeoutMs: EXPLAIN_LIMIT_MS, signal });
  }

  watch(unit: string, onChange: () => void): () => void {
    return this.available ? this.#watches.add(unit, onChange) : () => {};
  }

  contact(): ServiceContact | undefined {
    if (!this.available) return undefined;
    const { way = null, problem = null } = this.#pid1.contact;
    const { isConnected, isWanted, unheard } = this.#watches;
    return { connection: way, problem, units: isWanted ? (isConnected ? 'bus' : 'looks') : null, unheard };
  }

  async #order(call: Pid1Call, limit: Limit): Promise<ServiceCallResult> {
    const reached = await this.#pid1.withLink({ ...limit, alive: true }, (link) => link.call(call, limit));
    if (reached.kind === 'unreachable') return { kind: 'failed', reason: reached.reason };
    const { value } = reached;
    return value.kind === 'reply' ? { kind: 'done' } : { kind: 'failed', reason: callFailure(value) };
  }

  async #ask(
    unit: string,
    names: PropertyNames,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly values: Properties } | { readonly kind: 'failed'; readonly reason: string }> {
    if (!this.available) return NO_SYSTEMD;
    if (!(await this.#slots.take(SHOW_LIMIT_MS, signal)))
      return { kind: 'failed', reason: signal.aborted ? 'aborted' : 'too many requests to systemd are waiting' };
    try {
      const limit = { timeoutMs: SHOW_LIMIT_MS, signal };
      for (let round = 1; ; round++) {
        const reached = await this.#pid1.withLink(limit, (link) => readProperties(link, unit, names, limit));
        if (reached.kind === 'unreachable') return { kind: 'failed', reason: reached.reason };
        const { value } = reached;
        if (value.kind === 'known') return value;
        // A question can be repeated without harm.
        if (!value.lost || round === ROUNDS) return { kind: 'failed', reason: value.reason };
      }
    } finally {
      this.#slots.release();
    }
  }
}

const NO_SYSTEMD = { kind: 'failed', reason: 'systemd does not run here' } as const;
const QUESTIONS = 16;
/** PID 1 answers within milliseconds unless it hangs. */
const SHOW_LIMIT_MS = 10_000;
const ROUNDS = 3;
/** Only the report of a failure waits for it. */
const EXPLAIN_LIMIT_MS = 5000;
