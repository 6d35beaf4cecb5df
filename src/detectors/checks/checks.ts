// The checks: what `[check.NAME]` says is looked at, and raises alarms.
import type { Clock } from '../../core/clock.ts';
import type { CheckState, EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import { Slots } from '../../core/slots.ts';
import { nameWords } from '../../core/text/printable.ts';
import type { HealthCheck } from '../../health/health-check.ts';
import type { CheckStateRecords } from '../../state/daemon-state.ts';
import type { AlarmRaiser, Detector, RaisedNew } from '../detector.ts';
import type { CheckParts, Reading } from './check.ts';
import { changes, isSameTarget } from './differences.ts';
import type { ParsedCheck } from './parse-checks.ts';
import { RunningCheck, type RunningCheckParts } from './running-check.ts';
import { NOT_LOOKED, notLookedYet, type Standing } from './standing.ts';

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
  readonly targets: CheckParts;
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
  /** What became of the alarm that each failing check raised last. */
  readonly #raised = new Map<string, RaisedNew | 'observed'>();

  constructor(parts: ChecksParts) {
    this.#parts = parts;
    this.#slots = new Slots(() => parts.config().checkConcurrency);
  }

  start(): void {
    const { config, records } = this.#parts;
    const processes = new Map(config().checks.map(({ settings }) => [settings.name, settings.processName ?? null]));
    // Removed, or given to another process, while the daemon did not run.
    for (const { name, processName, verdict } of records.list())
      if (processes.get(name) !== processName) this.#forget(name, processName, verdict);
    this.reconfigure();
  }

  /** Applies the configured checks after a reload: those that are the same go on as they are. */
  reconfigure(): void {
    const { checks } = this.#parts.config();
    const { gone, added } = changes(
      [...this.#running.values()].map(({ parsed }) => parsed),
      checks,
    );
    const known = new Map<string, Standing>();
    for (const parsed of gone) {
      const { name, processName = null } = parsed.settings;
      const check = this.#running.get(name);
      void check?.stop();
      this.#running.delete(name);
      const next = added.find(({ settings }) => settings.name === name);
      // What is known of a target stays true for it.
      if (next !== undefined && isSameTarget(parsed, next) && check !== undefined) known.set(name, check.standing);
      else this.#forget(name, processName, check?.standing.state ?? 'unknown');
    }
    for (const [i, parsed] of added.entries()) {
      const { name, intervalMs } = parsed.settings;
      // Spread over their intervals, so that not all look at once; a few need not wait for that.
      const firstInMs = Math.min((i / added.length) * Math.min(intervalMs, MOST_SPREAD_MS), i * 1000);
      this.#begin(parsed, known.get(name), firstInMs);
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
      const { name, processName: own, severity } = check.parsed.settings;
      const { verdict, isWarning } = check.standing;
      if (own !== processName || severity === 'warning' || verdict !== 'failing' || isWarning) return [];
      return [{ description: `check ${name}`, check: (_process, _attempt, ms, signal) => check.prove(ms, signal) }];
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

  /** `known`: of its target, from before a reload. */
  #begin(parsed: ParsedCheck, known: Standing | undefined, firstInMs: number): void {
    const { records, targets } = this.#parts;
    const { name } = parsed.settings;
    const standing = known ?? notLookedYet(records.get(name)?.verdict);
    const check = new RunningCheck(parsed, parsed.create(targets), standing, this.#checkParts());
    this.#running.set(name, check);
    void check.run(firstInMs);
  }

  #checkParts(): RunningCheckParts {
    return {
      clock: this.#parts.clock,
      slots: this.#slots,
      blockedBy: ({ settings }) => this.#blockedBy(settings.dependsOn),
      dependenciesSeen: async ({ settings }, sinceMs, signal) => {
        await Promise.all(settings.dependsOn.map((name) => this.#running.get(name)?.seenSince(sinceMs, signal)));
      },
      counts: ({ settings }) => this.#counts(settings),
      onStanding: (check, before, raises) => this.#follow(check, before, raises),
    };
  }

  #blockedBy(dependsOn: readonly string[]): string | undefined {
    const failing = dependsOn.find((name) => {
      const check = this.#running.get(name);
      // One failure is enough for a doubt: what it means is not known before the others have come.
      if (check !== undefined) return check.standing.state === 'failing' || check.hasFailedLast;
      return this.#parts.isInAlarm(name);
    });
    return failing === undefined ? undefined : `behind ${nameWords(failing)}`;
  }

  #counts({ processName, startGraceMs }: ParsedCheck['settings']): boolean {
    if (processName === undefined) return true;
    const startedMs = this.#startedMs.get(processName) ?? Number.NEGATIVE_INFINITY;
    return !this.#parts.isRecovering(processName) && this.#parts.clock.monotonicMs() - startedMs >= startGraceMs;
  }

  #follow(check: RunningCheck, before: Standing, raises: boolean): void {
    const { clock, records } = this.#parts;
    const { name, processName = null, severity } = check.parsed.settings;
    const { state, verdict, reason, failures } = check.standing;
    const isWarning = check.standing.isWarning || severity === 'warning';
    if (verdict !== null && verdict !== before.verdict) records.set({ name, processName, verdict, since: clock.date() });
    // That it cannot be looked at is news, though nothing was known before either.
    const isFirst = state === 'unknown' && before.reason === NOT_LOOKED && failures === 0;
    if (state !== before.state || isFirst) {
      if (state !== 'failing') this.#raised.delete(name);
      this.#report(name, before, check.standing, isWarning);
      this.#parts.events.emit({ type: 'check_changed', name, processName, from: before.state, to: state, reason, isWarning });
    }
    if (raises && processName !== null && severity === 'critical') void this.#raise(name, processName, reason);
  }

  #report(name: string, before: Standing, { state, verdict, reason }: Standing, isWarning: boolean): void {
    const { log } = this.#parts;
    const fields = { check: name };
    switch (state) {
      case 'ok':
        if (before.reason === NOT_LOOKED && before.verdict !== 'failing') log.debug(`Check ${name} is ok`, fields);
        else log.info(`Check ${name} is ok again`, fields);
        break;
      case 'failing':
        log.warning(`Check ${name} ${isWarning ? 'warns' : 'is failing'}: ${reason}`, fields);
        break;
      case 'unknown':
        log.warning(`Check ${name} is unknown: ${reason}${verdict === 'failing' ? ' (it was failing)' : ''}`, fields);
        break;
      default:
        state satisfies never;
    }
  }

  async #raise(name: string, processName: string, reason: string): Promise<void> {
    const { config, raiser, events, log } = this.#parts;
    const fields = { check: name, process_name: processName };
    if (config().observes) {
      if (this.#raised.get(name) !== 'observed')
        log.info(`Check ${name} would have raised the alarm of ${nameWords(processName)} (mode = observe)`, fields);
      this.#raised.set(name, 'observed');
      return;
    }
    const by = `check ${name}` as const;
    const notes = `${by}: ${reason}`;
    const raised = await raiser.raiseNew(processName, notes, by);
    const before = this.#raised.get(name);
    this.#raised.set(name, raised);
    // It is raised again and again while the check fails; an alarm that stands is reported once.
    if (raised === 'stored' || raised === 'kept' || raised === before) return;
    log.info(`Check ${name} raises no alarm of ${nameWords(processName)}: ${WHY_NONE[raised]}`, fields);
    events.emit({ type: 'alarm_raised', processName, by, notes, where: raised });
  }

  #forget(name: string, processName: string | null, from: CheckState): void {
    this.#raised.delete(name);
    this.#parts.records.delete(name);
    this.#parts.events.emit({ type: 'check_changed', name, processName, from, to: 'off', reason: '', isWarning: false });
  }
}

const WHY_NONE = {
  acknowledged: 'it is acknowledged in the store (sound = 1)',
  standing: 'it is in alarm already, which the check joins',
} as const;

/** The first look at each comes within this time, however long its interval. */
const MOST_SPREAD_MS = 60_000;
