// Handles alarms side by side.
import type { Alarm } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { processOf } from '../strategies/recovery-plan.ts';
import type { AlarmBook, AlarmEntry } from './alarms/book.ts';
import type { AlarmClearing } from './alarms/clearing.ts';
import type { AlarmIntake } from './alarms/intake.ts';
import { type CurrentConfig, observes } from './current-config.ts';
import type { FoundEntry } from './handle-alarm.ts';
import type { Holds } from './holds.ts';
import type { TargetRecoveries, UnderWay } from './recovery/by-target.ts';
import type { Member, RecoveryOutcome } from './recovery-job.ts';

/** What the handler needs. */
interface AlarmHandlerParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly intake: AlarmIntake;
  readonly clearing: AlarmClearing;
  readonly holds: Holds;
  readonly recoveries: TargetRecoveries;
  /** `handleAlarm` with all that it needs. */
  readonly handleAlarm: (entry: FoundEntry, processName: string) => Promise<RecoveryOutcome>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Handles alarms side by side, one handling for each, and carries out orders to recover. Restart slots
 * limit how many commands run at once.
 */
export class AlarmHandler {
  readonly #parts: AlarmHandlerParts;

  constructor(parts: AlarmHandlerParts) {
    this.#parts = parts;
  }

  /** How many recoveries are under way. */
  get recovering(): number {
    return this.#parts.recoveries.size;
  }

  /** True while a recovery of this process, or of its target, is under way. */
  isRecovering(processName: string, target: string): boolean {
    return this.#parts.recoveries.isRunning(processName, target);
  }

  /** The recoveries that are under way: for whoever asks about thousands of processes. */
  underWay(): UnderWay {
    return this.#parts.recoveries.underWay();
  }

  /** Resolves when all handlings that are under way for that name have ended. */
  async ended(processName: string): Promise<RecoveryOutcome[]> {
    const entries = this.#parts.book.underWay().filter(({ alarm }) => alarm.processName === processName);
    return Promise.all(entries.flatMap(({ outcome }) => outcome ?? []));
  }

  /**
   * Takes the entries of a poll, and begins to handle those that are ours and new. `early`: the poll came before its time, because of a
   * reload or another alarm. What has failed is not tried again then, so that it counts no further failure; what is healed and left to
   * others is not checked again.
   */
  take(entries: readonly AlarmEntry[], poll: number, early = false): void {
    const { book, intake, clearing, handleAlarm } = this.#parts;
    const waits = (entry: AlarmEntry): boolean =>
      entry.hasFailed || (clearing.isLeftToOthers && book.memory.of(entry.alarm).handled);
    const fresh = entries
      .filter((entry) => intake.take(entry))
      .filter((entry) => book.isFresh(entry, poll) && !(early && waits(entry)));
    // All are registered before the first one looks for its dependencies.
    const { promise: start, resolve: go } = Promise.withResolvers<void>();
    for (const entry of fresh) {
      const processName = entry.alarm.processName ?? '';
      const outcome = start.then(() => handleAlarm(entry, processName));
      book.begin(
        entry,
        outcome.catch((error: unknown) => this.#internalError(processName, error)),
      );
    }
    go();
  }

  /**
   * Carries out an operator's order: one recovery now, whatever the breaker says. It joins a recovery of the same target that is under
   * way. `alarms`: those of that name, or else one of its rows; [] if it has none.
   */
  async order(processName: string, alarms: readonly Alarm[]): Promise<RecoveryOutcome> {
    const { config, holds, clock, recoveries } = this.#parts;
    const held = holds.reason(processName);
    if (held !== undefined) return { kind: 'skipped', reason: `${held}; release it first` };
    if (observes(config)) return { kind: 'skipped', reason: 'mode = observe: nothing is restarted' };
    const plan = config.current().plans(processName);
    const foundAtMs = clock.monotonicMs();
    const memberOf = (alarm: Alarm | undefined): Member => ({
      process: processOf(alarm, processName, plan),
      alarm,
      foundAtMs,
      notedAtMs: foundAtMs,
    });
    const members = alarms.length === 0 ? [memberOf(undefined)] : alarms.map(memberOf);
    return recoveries.join(members, plan, true).catch((error: unknown) => this.#internalError(processName, error));
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    const { book, recoveries } = this.#parts;
    for (;;) {
      const handlings = book.underWay().flatMap(({ outcome }) => outcome ?? []);
      const underWay = [...handlings, ...recoveries.outcomes()];
      if (underWay.length === 0) return;
      await Promise.allSettled(underWay);
    }
  }

  /** Expected faults do not reject. What arrives here is a mistake in the program, which must not end the daemon. */
  #internalError(processName: string, error: unknown): RecoveryOutcome {
    this.#parts.log.error(`Internal error while handling ${processName}: ${errorMessage(error)}`, {
      process_name: processName,
      err: error,
    });
    return { kind: 'failed', reason: `internal error: ${errorMessage(error)}` };
  }
}
