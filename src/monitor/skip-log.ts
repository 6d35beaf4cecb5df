import type { ManagedProcess } from '../core/alarm.ts';
import type { EventBus } from '../core/events.ts';
import { shownProcessId } from '../core/kept-row.ts';
import type { Logger } from '../core/logger.ts';

/** Tells why alarms are skipped: a reason once as long as the alarm stands, then at debug. */
export class SkipLog {
  readonly #log: Logger;
  readonly #events: EventBus;
  readonly #told = new Map<number, string>();

  constructor(log: Logger, events: EventBus) {
    this.#log = log;
    this.#events = events;
  }

  /** Tells it and returns it as an outcome. `silent`: the decider has told it already. */
  skip(
    process: ManagedProcess,
    reason: string,
    level: 'error' | 'warning' | 'info' | 'silent',
  ): { readonly kind: 'skipped'; readonly reason: string } {
    const { processId, processName } = process;
    const known = this.#told.get(processId) === reason;
    this.#told.set(processId, reason);
    if (level !== 'silent') {
      this.#log[known ? 'debug' : level](`RESTART LOG: ${processName} not restarted: ${reason}`, {
        process_name: processName,
        process_id: shownProcessId(processId),
      });
    }
    if (!known) this.#events.emit({ type: 'recovery_skipped', process, reason });
    return { kind: 'skipped', reason };
  }

  /** Why the row was last skipped. */
  reason(processId: number): string | undefined {
    return this.#told.get(processId);
  }

  /** It is being restarted after all: the next skip is news again. */
  forget(processId: number): void {
    this.#told.delete(processId);
  }

  /** Forgets the rows `among` all that are not `inAlarm` any more. */
  forgetAllBut(inAlarm: ReadonlySet<number>, among: (processId: number) => boolean): void {
    for (const processId of this.#told.keys()) if (among(processId) && !inAlarm.has(processId)) this.#told.delete(processId);
  }
}
