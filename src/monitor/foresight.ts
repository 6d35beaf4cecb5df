// Predicts how an alarm would end.
import { type Alarm, isInAlarm, storedAlarm } from '../core/alarm.ts';
import { processOf } from '../strategies/recovery-plan.ts';
import type { AlarmBook } from './alarms/book.ts';
import type { AlarmIntake } from './alarms/intake.ts';
import type { KeptAlarms } from './alarms/kept.ts';
import { type CurrentConfig, observes } from './current-config.ts';
import { dependsOn, failureAmong } from './dependencies.ts';
import type { Holds } from './holds.ts';
import type { TargetRecoveries } from './recovery/by-target.ts';
import type { RecoveryOutcome } from './recovery-job.ts';

/** What the foresight needs. */
interface ForesightParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly intake: AlarmIntake;
  readonly holds: Holds;
  readonly kept: KeptAlarms;
  readonly recoveries: TargetRecoveries;
}

/** Predicts how alarms would end if they were raised now, by the same rules that handle them. Changes nothing. */
export class Foresight {
  readonly #parts: ForesightParts;

  constructor(parts: ForesightParts) {
    this.#parts = parts;
  }

  /**
   * Why an alarm of that name would not be restarted because of what it depends on, if the next poll brought it. Undefined also if that
   * depends on how a recovery ends. `passed`: names whose dependencies are being examined already.
   */
  async foreseeBlock(processName: string, passed: readonly string[] = []): Promise<string | undefined> {
    const { config } = this.#parts;
    if (observes(config) || passed.includes(processName)) return undefined;
    const way = [...passed, processName];
    const foreseen = dependsOn(processName, config.current().plans(processName)).map(async (name) => {
      const alarms = await this.#alarmsOf(name);
      return alarms.map((alarm) => ({ processName: name, outcome: this.#foresee(name, alarm, way) }));
    });
    return failureAmong((await Promise.all(foreseen)).flat());
  }

  /** The alarms of that name that the next poll would bring and that are ours. If the store does not answer, there are none. */
  async #alarmsOf(processName: string): Promise<Alarm[]> {
    const { config, kept, intake } = this.#parts;
    const rows = await config
      .current()
      .store.findProcesses(processName)
      .catch(() => []);
    const own = kept.alarm(processName);
    return [...rows.filter(isInAlarm).map(storedAlarm), ...(own === undefined ? [] : [own])].filter((alarm) =>
      intake.isOurs(alarm),
    );
  }

  /** How the alarm would end, as far as that is known without trying anything. */
  async #foresee(processName: string, alarm: Alarm, passed: readonly string[]): Promise<RecoveryOutcome | undefined> {
    const { config, book, holds, recoveries } = this.#parts;
    const { handled, unproved } = book.memory.of(alarm);
    const entry = book.get(alarm.key);
    // Its health would be checked first.
    if (handled || book.isUnderWay(alarm.key)) return undefined;
    if (entry?.hasFailed) return entry.outcome;
    if (unproved !== undefined) return { kind: 'not_proved', attempts: unproved.attempts, reason: unproved.reason };
    const plan = config.current().plans(processName);
    const reason =
      holds.reason(processName) ??
      (await this.foreseeBlock(processName, passed)) ??
      (await recoveries.foresee(processOf(alarm, processName, plan), plan));
    return reason === undefined ? undefined : { kind: 'skipped', reason };
  }
}
