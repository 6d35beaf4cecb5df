// The alarms that checks raise.
import type { EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import { nameWords } from '../../core/text/printable.ts';
import type { AlarmRaiser, RaisedNew } from '../detector.ts';

/** What raising an alarm needs. */
interface CheckAlarmsParts {
  /** `observes`: nothing may be done (`mode = observe`). */
  readonly config: () => { readonly observes: boolean };
  readonly raiser: AlarmRaiser;
  readonly events: EventBus;
  readonly log: Logger;
}

/** Raises the alarms of processes whose checks fail. */
export class CheckAlarms {
  readonly #parts: CheckAlarmsParts;
  /** What became of the alarm that each failing check raised last. */
  readonly #raised = new Map<string, RaisedNew | 'observed'>();

  constructor(parts: CheckAlarmsParts) {
    this.#parts = parts;
  }

  /** Raises it, unless it stands, is acknowledged, or nothing may be done. Never rejects. */
  async raise(name: string, processName: string, reason: string): Promise<void> {
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

  /** The check does not fail any more: what becomes of the next alarm is reported again. */
  forget(name: string): void {
    this.#raised.delete(name);
  }
}

const WHY_NONE = {
  acknowledged: 'it is acknowledged in the store (sound = 1)',
  standing: 'it is in alarm already, which the check joins',
} as const;
