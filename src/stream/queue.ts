import type { Clock } from '../core/clock.ts';
import type { EventLine } from '../core/process/event-line.ts';
import { eventText } from './text.ts';

/** Where a queue writes to: a Writable, or what stands before one. */
interface QueueOut {
  write(lines: Buffer, done: (error?: Error | null) => void): unknown;
}

/**
 * What one client has not read yet, at most 4 MiB: what does not fit is dropped and, once there is room for half of it again,
 * told to the client as lost. The pieces belong to all clients together; nothing is copied.
 */
export class ClientQueue {
  readonly #out: QueueOut;
  readonly #clock: Clock;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #writing = false;
  #untold = 0;
  #dropped = 0;
  #progressAtMs: number;

  constructor(out: QueueOut, clock: Clock) {
    this.#out = out;
    this.#clock = clock;
    this.#progressAtMs = clock.monotonicMs();
  }

  /** Lines that were dropped, in all. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes that wait, those that are being written among them. */
  get waiting(): number {
    return this.#bytes;
  }

  /** How long nothing has been taken though something waits; 0 where nothing waits. */
  stuckMs(): number {
    return this.#writing ? this.#clock.monotonicMs() - this.#progressAtMs : 0;
  }

  /** Queues whole lines, `count` of them, or drops them. */
  push(lines: Buffer, count: number): void {
    this.#tellLost();
    if (this.#untold > 0 || this.#bytes + lines.length > MAX_BYTES) {
      this.#untold += count;
      this.#dropped += count;
      return;
    }
    this.#add(lines);
  }

  /** So that the gap is told before what comes behind it. */
  #tellLost(): void {
    if (this.#untold === 0 || this.#bytes > MAX_BYTES / 2) return;
    const line: EventLine = { event: 'lost', count: this.#untold, time: this.#clock.date().toISOString() };
    this.#untold = 0;
    this.#add(Buffer.from(eventText(line)));
  }

  #add(piece: Buffer): void {
    this.#bytes += piece.length;
    this.#pieces.push(piece);
    if (!this.#writing) this.#writeNext();
  }

  /** One piece at a time: a client that reads slowly but steadily is seen to get on. */
  #writeNext(): void {
    const piece = this.#pieces.shift();
    this.#progressAtMs = this.#clock.monotonicMs();
    this.#writing = piece !== undefined;
    if (piece === undefined) return;
    this.#out.write(piece, (error) => {
      if (error) return;
      this.#bytes -= piece.length;
      this.#tellLost();
      this.#writeNext();
    });
  }
}

const MAX_BYTES = 4 * 1024 * 1024;
