// Raises the alarms of the daemon's own detectors.
import type { AlarmSource, EventBus } from '../core/events.ts';
import type { AlarmRaiser, RaisedNew } from '../detectors/detector.ts';
import type { AlarmBook } from './alarms/book.ts';
import type { KeptAlarms } from './alarms/kept.ts';
import type { ExitCounts } from './exit-counts.ts';
import type { AlarmHandler } from './handler.ts';
import type { Monitor } from './monitor.ts';

/** What the raising of alarms needs. */
interface RaisedAlarmsParts {
  readonly book: AlarmBook;
  readonly kept: KeptAlarms;
  readonly monitor: Monitor;
  readonly handler: AlarmHandler;
  readonly exits: ExitCounts;
  readonly events: EventBus;
}

/** Raises the alarms of the daemon's own detectors at once: in the store, or locally if the store cannot take them. */
export class RaisedAlarms implements AlarmRaiser {
  readonly #parts: RaisedAlarmsParts;

  constructor(parts: RaisedAlarmsParts) {
    this.#parts = parts;
  }

  async raise(processName: string, notes: string, by: AlarmSource): Promise<void> {
    const { book, kept, handler, exits, events } = this.#parts;
    const underWay = handler.ended(processName);
    book.raisedAgain(processName);
    const raised = await kept.raise(processName, notes);
    events.emit({ type: 'alarm_raised', processName, by, notes, where: raised });
    if (raised === 'acknowledged' || raised === 'standing') return;
    // The exit that opens the breaker must have been counted before the breaker is asked.
    await exits.counted(processName);
    // The process has ended: what was not proved of it no longer matters.
    book.memory.forgetUnprovedName(processName);
    if (raised === 'stored') book.memory.forgetHandledName(processName);
    this.#handle(processName, raised);
    // An alarm raised during a recovery does not belong to it. It is handled as soon as that recovery has ended, not at the next poll.
    const outcomes = await underWay;
    if (outcomes.some(({ kind }) => kind === 'not_proved')) book.memory.forgetUnprovedName(processName);
    if (outcomes.some(({ kind }) => kind === 'recovered' || kind === 'not_proved' || kind === 'ended'))
      this.#handle(processName, raised);
  }

  async raiseNew(processName: string, notes: string, by: AlarmSource): Promise<RaisedNew> {
    const { book, kept, monitor, events } = this.#parts;
    const raised = await kept.raise(processName, notes, true);
    if (raised === 'acknowledged') return raised;
    // What was healed and could not be cleared is in trouble again.
    book.memory.forgetHandledName(processName);
    if (raised === 'standing') {
      monitor.wake();
      return raised;
    }
    events.emit({ type: 'alarm_raised', processName, by, notes, where: raised });
    book.memory.forgetUnprovedName(processName);
    this.#handle(processName, raised);
    return raised;
  }

  #handle(processName: string, raised: 'stored' | 'kept'): void {
    this.#parts.book.retry(processName);
    if (raised === 'stored') this.#parts.monitor.wake();
    else this.#parts.monitor.takeRaised(processName);
  }
}
