// One client of the event stream.

import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { type ClientFilter, everything, parseFilter } from './filter.ts';
import { OneByOne } from './one-by-one.ts';
import { ClientQueue } from './queue.ts';

/** What a client needs. */
interface EventClientOptions {
  readonly socket: Socket;
  /** Its name in the log: `a local client`, `192.0.2.7`. */
  readonly name: string;
  readonly clock: Clock;
  /** Called when the filter has changed. */
  readonly onFilter: () => void;
}

/**
 * One client of the stream that may receive events. It sends its filter in the first line, and nothing after that. It may close
 * its sending side and go on reading.
 */
export class EventClient {
  readonly name: string;
  readonly queue: ClientQueue;
  readonly #socket: Socket;
  readonly #onFilter: () => void;
  /** Over TCP without TLS, until a filter shows that the client is not one of procMonitor's. */
  readonly #oneByOne: OneByOne | undefined;
  #filter = everything;
  #head = Buffer.alloc(0);

  constructor({ socket, name, clock, onFilter }: EventClientOptions) {
    this.name = name;
    if (socket.remoteAddress !== undefined && !('encrypted' in socket))
      this.#oneByOne = new OneByOne({ out: socket, clock, waiting: () => this.queue.waiting });
    this.queue = new ClientQueue(this.#oneByOne ?? socket, clock);
    this.#socket = socket;
    this.#onFilter = onFilter;
    socket.on('data', this.#onData);
    socket.once('end', this.#onEnd);
    // A login leaves it paused.
    socket.resume();
  }

  get filter(): ClientFilter {
    return this.#filter;
  }

  /** True for a TCP client that sends no more: whether it has gone altogether is not known there for a while. */
  get mayHaveGone(): boolean {
    return this.#hasEnded && this.#socket.remoteAddress !== undefined;
  }

  /**
   * Checks if a client that sends no more still exists: the kernel refuses even an empty write to a peer that is known to have
   * gone.
   */
  probe(): void {
    if (this.#hasEnded) this.#socket.write('');
  }

  /** Disconnects the client; what it has not read is lost. */
  disconnect(): void {
    this.#socket.destroy();
  }

  get #hasEnded(): boolean {
    return this.#socket.readableEnded && !this.#socket.destroyed;
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, MAX_LINE + 1)]);
    const end = this.#head.indexOf('\n');
    if (end < 0 && this.#head.length <= MAX_LINE) return;
    this.#socket.off('data', this.#onData);
    // Must be read on, or the end of the connection would never be noticed.
    this.#socket.resume();
    if (end >= 0) this.#take(this.#head.toString('utf8', 0, end));
    this.#head = Buffer.alloc(0);
  };

  readonly #onEnd = (): void => {
    this.#take(this.#head.toString('utf8'));
    this.probe();
  };

  #take(line: string): void {
    const filter = parseFilter(line);
    if (filter === undefined) return;
    this.#oneByOne?.turnOff();
    this.#filter = filter;
    this.#onFilter();
  }
}

/** The most bytes of the first line; a longer one is not a filter. */
const MAX_LINE = 4096;
