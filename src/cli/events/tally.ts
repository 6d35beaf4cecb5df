import type { EventLine } from '../../core/process/event-line.ts';
import { counted } from '../../core/text/counted.ts';

/** Counts the events of a stream, for the summary. */
export class EventTally {
  readonly #kinds = new Map<string, number>();
  /** Events that were lost, as far as known. */
  lost = 0;
  /** Lines that were not events. */
  unread = 0;

  count(line: EventLine): void {
    if (line.event === 'lost') this.lost += line.count;
    else this.#kinds.set(line.event, (this.#kinds.get(line.event) ?? 0) + 1);
  }

  /** The summary after `elapsedMs`: `12 events in 3.0 s (4 a second): 8 exec, 4 exit; none lost`. */
  words(elapsedMs: number): string {
    const total = [...this.#kinds.values()].reduce((sum, count) => sum + count, 0);
    const seconds = Math.max(elapsedMs, 1) / 1000;
    const rate = total / seconds;
    const kinds = [...this.#kinds].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${count} ${kind}`);
    const words = `${counted(total, 'event', 'events')} in ${seconds.toFixed(1)} s (${rate.toFixed(rate < 10 ? 1 : 0)} a second)`;
    return [
      [words, kinds.join(', ')].filter(Boolean).join(': '),
      this.lost === 0 ? 'none lost' : `${this.lost} LOST`,
      ...(this.unread === 0 ? [] : [`${counted(this.unread, 'line', 'lines')} not understood`]),
    ].join('; ');
  }
}
