import type { Alarm, ManagedProcess } from '../core/alarm.ts';
import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';

/** What keeps an alarm from its recovery: `refused` by its section, name or unit; `held` by a hold; or something else. */
export type SkipKind = 'refused' | 'held' | 'other';

/** Tells why alarms are skipped: a reason once as long as the alarm stands, then at debug. */
export class SkipLog {
  readonly #log: Logger;
  readonly #events: EventBus;
  readonly #told = new Map<string, { readonly alarm: Alarm; readonly reason: string; readonly kind: SkipKind }>();

  constructor(log: Logger, events: EventBus) {
    this.#log = log;
    this.#events = events;
  }

  /** Tells it and returns it as an outcome. `silent`: the decider has told it already. */
  skip(
    { process, alarm }: { readonly process: ManagedProcess; readonly alarm: Alarm | undefined },
    reason: string,
    level: 'error' | 'warning' | 'info' | 'silent',
    kind: SkipKind = 'other',
  ): { readonly kind: 'skipped'; readonly reason: string } {
    const { processId, processName } = process;
    const known = alarm !== undefined && this.of(alarm.key)?.reason === reason;
    if (alarm !== undefined) this.#told.set(alarm.key, { alarm, reason, kind });
    if (level !== 'silent') {
      this.#log[known ? 'debug' : level](`RESTART LOG: ${processName} not restarted: ${reason}`, {
        process_name: processName,
        process_id: processId,
      });
    }
    if (!known) this.#events.emit({ type: 'recovery_skipped', process, reason });
    return { kind: 'skipped', reason };
  }

  /** Why the alarm was last skipped. */
  of(key: string): { readonly reason: string; readonly kind: SkipKind } | undefined {
    return this.#told.get(key);
  }

  /** It is being restarted after all: the next skip is news again. */
  forget(key: string): void {
    this.#told.delete(key);
  }

  /** Forgets the alarms that are not among `alarms` any more. `spokenFor`: those that would be, if they still stood. */
  forgetAllBut(alarms: ReadonlySet<string>, spokenFor: (alarm: Alarm) => boolean): void {
    for (const [key, { alarm }] of this.#told) if (spokenFor(alarm) && !alarms.has(key)) this.#told.delete(key);
  }
}
