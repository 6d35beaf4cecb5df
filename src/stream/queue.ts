// The output queue of one client.

import type { Clock } from '../core/clock.ts';
import type { EventLine } from '../core/process/event-line.ts';
import { eventText } from './text.ts';

/** What a queue writes to: a Writable, or something in front of one. */
interface QueueOut {
  write(lines: Buffer, done: (error?: Error | null) => void): unknown;
}

/**
 * What one client has not read yet, at most 4 MiB. What does not fit is dropped and, when half of the space is free again,
 * reported to the client as lost. All clients share the pieces; nothing is copied.
 */
export class ClientQueue {
  readonly #out: QueueOut;
  readonly #clock: Clock;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #writing = false;
  #unreported = 0;
  #dropped = 0;
  #progressAtMs: number;

  constructor(out: QueueOut, clock: Clock) {
    this.#out = out;
    this.#clock = clock;
    this.#progressAtMs = clock.monotonicMs();
  }

  /** The number of dropped lines. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The number of waiting bytes, including those that are being written. */
  get waiting(): number {
    return this.#bytes;
  }

  /** For how long nothing has been taken although something waits; 0 if nothing waits. */
  stuckMs(): number {
    return this.#writing ? this.#clock.monotonicMs() - this.#progressAtMs : 0;
  }

  /** Queues whole lines, `count` of them, or drops them. */
  push(lines: Buffer, count: number): void {
    this.#reportLost();
    if (this.#unreported > 0 || this.#bytes + lines.length > MAX_BYTES) {
      this.#unreported += count;
      this.#dropped += count;
      return;
    }
    this.#add(lines);
  }

  /** Reports the gap before the lines that follow it. */
  #reportLost(): void {
    if (this.#unreported === 0 || this.#bytes > MAX_BYTES / 2) return;
    const line: EventLine = { event: 'lost', count: this.#unreported, time: this.#clock.date().toISOString() };
    this.#unreported = 0;
    this.#add(Buffer.from(eventText(line)));
  }

  #add(piece: Buffer): void {
    this.#bytes += piece.length;
    this.#pieces.push(piece);
    if (!this.#writing) this.#writeNext();
  }

  /** Writes one piece at a time: so the progress of a client that reads slowly but steadily is visible. */
  #writeNext(): void {
    const piece = this.#pieces.shift();
    this.#progressAtMs = this.#clock.monotonicMs();
    this.#writing = piece !== undefined;
    if (piece === undefined) return;
    this.#out.write(piece, (error) => {
      if (error) return;
      this.#bytes -= piece.length;
      this.#reportLost();
      this.#writeNext();
    });
  }
}

const MAX_BYTES = 4 * 1024 * 1024;
