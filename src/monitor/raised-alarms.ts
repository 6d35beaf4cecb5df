import type { AlarmRaiser } from '../detectors/detector.ts';
import type { AlarmBook } from './alarm-book.ts';
import type { AlarmHandler } from './alarm-handler.ts';
import type { ExitCounts } from './exit-counts.ts';
import type { KeptAlarms } from './kept-alarms.ts';
import type { Monitor } from './monitor.ts';

/** What the detectors' alarms go through. */
export interface RaisedAlarmsParts {
  readonly book: AlarmBook;
  readonly kept: KeptAlarms;
  readonly monitor: Monitor;
  readonly handler: AlarmHandler;
  readonly exits: ExitCounts;
}

/** Brings the alarms of our own detectors into the river, at once: into the store, or past it where it cannot take them. */
export class RaisedAlarms implements AlarmRaiser {
  readonly #parts: RaisedAlarmsParts;

  constructor(parts: RaisedAlarmsParts) {
    this.#parts = parts;
  }

  async raise(processName: string, notes: string): Promise<void> {
    const { book, kept, handler, exits } = this.#parts;
    const underWay = handler.ended(processName);
    const raised = await kept.raise(processName, notes);
    if (raised === 'acknowledged') return;
    // The exit that opens the breaker must have been counted before the breaker is asked.
    await exits.counted(processName);
    // It has ended: that is no longer what could not be told.
    book.memory.forgetUnprovedName(processName);
    this.#handOn(processName, raised);
    // An alarm raised during a recovery is not that recovery's: when it has ended, this one is taken up, not at the next poll.
    const outcomes = await underWay;
    if (outcomes.some(({ kind }) => kind === 'not_proved')) book.memory.forgetUnprovedName(processName);
    if (outcomes.some(({ kind }) => kind === 'recovered' || kind === 'not_proved' || kind === 'ended'))
      this.#handOn(processName, raised);
  }

  #handOn(processName: string, raised: 'stored' | 'kept'): void {
    this.#parts.book.retry(processName);
    if (raised === 'stored') this.#parts.monitor.wake();
    else this.#parts.monitor.takeKept(processName);
  }
}
