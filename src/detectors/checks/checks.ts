// The checks: what `[check.NAME]` says is looked at, and raises alarms.
import type { Clock } from '../../core/clock.ts';
import type { CheckState, EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import { Slots } from '../../core/slots.ts';
import { nameWords } from '../../core/text/printable.ts';
import type { HealthCheck } from '../../health/health-check.ts';
import type { CheckStateRecords } from '../../state/daemon-state.ts';
import type { AlarmRaiser, Detector } from '../detector.ts';
import { CheckAlarms } from './alarms.ts';
import type { CheckParts, Finding, Reading } from './check.ts';
import { changes, isSameTarget } from './differences.ts';
import type { ParsedCheck } from './parse-checks.ts';
import { checkOf, partOf } from './part-names.ts';
import { reportState } from './report.ts';
import { RunningCheck, type RunningCheckParts } from './running-check.ts';
import { NOT_LOOKED, notLookedYet, type Standing } from './standing.ts';
import type { KnownParts, PartChange } from './states.ts';
import { foundOf } from './worst.ts';

/** What is to be checked, as configured. */
export interface ConfiguredChecks {
  readonly checks: readonly ParsedCheck[];
  /** `[checks] concurrency`: looks at once, 1 to 1,000. */
  readonly checkConcurrency: number;
  /** True in `mode = observe`: no alarm is raised. */
  readonly observes: boolean;
}

/** What the checks need. */
export interface ChecksParts {
  readonly config: () => ConfiguredChecks;
  readonly targets: Omit<CheckParts, 'ofCheck'>;
  readonly records: CheckStateRecords;
  readonly raiser: AlarmRaiser;
  /** Whether a recovery of that process is under way. */
  readonly isRecovering: (processName: string) => boolean;
  /** Whether that process is known to be in alarm. */
  readonly isInAlarm: (processName: string) => boolean;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/** Runs all checks. They raise alarms and restart nothing. */
export class Checks implements Detector {
  readonly #parts: ChecksParts;
  readonly #slots: Slots;
  readonly #running = new Map<string, RunningCheck>();
  /** Since when each process runs, or its recovery is over, in monotonic milliseconds. */
  readonly #startedMs = new Map<string, number>();
  readonly #alarms: CheckAlarms;

  constructor(parts: ChecksParts) {
    this.#parts = parts;
    this.#alarms = new CheckAlarms(parts);
    this.#slots = new Slots(() => parts.config().checkConcurrency);
  }

  start(): void {
    const { config, records } = this.#parts;
    const processes = new Map(config().checks.map(({ settings }) => [settings.name, settings.processName ?? null]));
    // Removed, or given to another process, while the daemon did not run.
    for (const { name, processName, verdict } of records.list())
      if (processes.get(checkOf(name)) !== processName) this.#forget(name, processName, verdict);
    this.reconfigure();
  }

  /** Applies the configured checks after a reload: those that are the same go on as they are. */
  reconfigure(): void {
    const { checks } = this.#parts.config();
    const { gone, added } = changes(
      [...this.#running.values()].map(({ parsed }) => parsed),
      checks,
    );
    const known = new Map<string, KnownParts>();
    for (const parsed of gone) {
      const { name, processName = null } = parsed.settings;
      const check = this.#running.get(name);
      void check?.stop();
      this.#running.delete(name);
      const next = added.find(({ settings }) => settings.name === name);
      const staysTrue = next !== undefined && isSameTarget(parsed, next);
      const states = check?.states ?? [];
      if (staysTrue) known.set(name, new Map(states.map(({ part, standing }) => [part, standing])));
      else for (const state of states) this.#forget(state.name, processName, state.standing.state);
    }
    for (const [i, parsed] of added.entries()) {
      const { intervalMs } = parsed.settings;
      // Spread over their intervals, so that not all look at once; a few need not wait for that.
      const firstInMs = Math.min((i / added.length) * Math.min(intervalMs, MOST_SPREAD_MS), i * 1000);
      this.#begin(parsed, known.get(parsed.settings.name), firstInMs);
    }
  }

  async stop(): Promise<void> {
    const ending = [...this.#running.values()].map((check) => check.stop());
    this.#running.clear();
    await Promise.all(ending);
  }

  /** The checks that have found that process failing: each has to pass once more before its alarm is cleared. */
  ofFailing(processName: string): readonly HealthCheck[] {
    return [...this.#running.values()].flatMap((check): HealthCheck[] => {
      const { processName: own, severity } = check.parsed.settings;
      if (own !== processName || severity === 'warning') return [];
      const failing = check.states.filter(({ standing }) => standing.verdict === 'failing' && !standing.isWarning);
      return failing.map((state) => ({
        description: `check ${state.name}`,
        check: (_process, _attempt, ms, signal) => check.prove(state, ms, signal),
      }));
    });
  }

  /** What is known of each, in the order of the configuration. */
  list(): readonly RunningCheck[] {
    return this.#parts.config().checks.flatMap(({ settings }) => this.#running.get(settings.name) ?? []);
  }

  /** One look for an order, which changes no state; undefined if that check does not run. */
  lookAside(name: string, signal: AbortSignal): Promise<Reading> | undefined {
    return this.#running.get(name)?.lookAside(signal);
  }

  /** The process was started, or its recovery has ended, `agoMs` milliseconds ago: for a while its failures do not count. */
  started(processName: string, agoMs: number): void {
    this.#startedMs.set(processName, this.#parts.clock.monotonicMs() - agoMs);
    for (const check of this.#running.values()) if (check.parsed.settings.processName === processName) check.forgetFailures();
  }

  /** `known`: of its target, from before a reload; undefined: what an earlier run of the daemon knew. */
  #begin(parsed: ParsedCheck, known: KnownParts | undefined, firstInMs: number): void {
    const { name } = parsed.settings;
    const check = new RunningCheck(
      parsed,
      parsed.create({ ...this.#parts.targets, ofCheck: async (each) => this.#known(each) }),
      known ?? this.#recorded(name),
      this.#checkParts(),
    );
    this.#running.set(name, check);
    void check.run(firstInMs);
  }

  /** What is known of a check or part of one now; of all of its parts together if it has nothing else. */
  #known(name: string): Finding | undefined {
    const check = this.#running.get(checkOf(name));
    const found = (check?.states ?? []).map((state) => ({ name: state.name, finding: findingOf(state.standing) }));
    return foundOf(name, found, check?.parsed.settings.severity === 'warning');
  }

  #recorded(check: string): KnownParts {
    const own = this.#parts.records.list().filter(({ name }) => checkOf(name) === check);
    return new Map(own.map(({ name, verdict }): [string | undefined, Standing] => [partOf(name), notLookedYet(verdict)]));
  }

  #checkParts(): RunningCheckParts {
    return {
      clock: this.#parts.clock,
      worker: this.#parts.targets.worker,
      slots: this.#slots,
      blockedBy: ({ settings }) => this.#blockedBy(settings.dependsOn),
      dependenciesSeen: async ({ settings }, sinceMs, signal) => {
        await Promise.all(settings.dependsOn.map((name) => this.#running.get(checkOf(name))?.seenSince(sinceMs, signal)));
      },
      counts: ({ settings }) => this.#counts(settings),
      onChange: (check, change, durationMs) => {
        this.#tell(check, change, durationMs);
        this.#follow(check, change);
      },
      onGone: ({ settings }, { name, standing }) => this.#forget(name, settings.processName ?? null, standing.state),
    };
  }

  #blockedBy(dependsOn: readonly string[]): string | undefined {
    const failing = dependsOn.find((name) => {
      const check = this.#running.get(checkOf(name));
      return check === undefined ? this.#parts.isInAlarm(name) : check.isInTheWay(partOf(name));
    });
    return failing === undefined ? undefined : `behind ${nameWords(failing)}`;
  }

  #counts({ processName, startGraceMs }: ParsedCheck['settings']): boolean {
    if (processName === undefined) return true;
    const startedMs = this.#startedMs.get(processName) ?? Number.NEGATIVE_INFINITY;
    return !this.#parts.isRecovering(processName) && this.#parts.clock.monotonicMs() - startedMs >= startGraceMs;
  }

  #tell({ settings }: ParsedCheck, { state: { name }, finding }: PartChange, durationMs: number): void {
    const { processName = null } = settings;
    const reason = finding.kind === 'ok' ? '' : finding.reason;
    this.#parts.events.emit({ type: 'check_looked', name, processName, found: finding.kind, reason, durationMs });
  }

  #follow({ settings }: ParsedCheck, { state: { name, standing }, before, raises }: PartChange): void {
    const { clock, records } = this.#parts;
    const { processName = null, severity } = settings;
    const { state, verdict, reason, failures } = standing;
    const isWarning = standing.isWarning || severity === 'warning';
    if (verdict !== null && verdict !== before.verdict) records.set({ name, processName, verdict, since: clock.date() });
    // That it cannot be looked at is news, though nothing was known before either.
    const isFirst = state === 'unknown' && before.reason === NOT_LOOKED && reason !== NOT_LOOKED && failures === 0;
    if (state !== before.state || isFirst) {
      if (state !== 'failing') this.#alarms.forget(name);
      reportState(this.#parts.log, name, before, standing, isWarning);
      this.#parts.events.emit({ type: 'check_changed', name, processName, from: before.state, to: state, reason, isWarning });
    }
    if (raises && processName !== null && severity === 'critical') void this.#alarms.raise(name, processName, reason);
  }

  #forget(name: string, processName: string | null, from: CheckState): void {
    this.#alarms.forget(name);
    this.#parts.records.delete(name);
    this.#parts.events.emit({ type: 'check_changed', name, processName, from, to: 'off', reason: '', isWarning: false });
  }
}

function findingOf({ state: kind, reason, isWarning }: Standing): Finding {
  if (kind === 'ok') return { kind };
  return kind === 'failing' && isWarning ? { kind, reason, isWarning } : { kind, reason };
}

/** The first look at each comes within this time, however long its interval. */
const MOST_SPREAD_MS = 60_000;
