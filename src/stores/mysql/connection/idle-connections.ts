/** What of a connection is used here. */
interface Idle {
  /** Ends it politely. */
  end(): void;
}

/**
 * Connections that nobody uses at present: each is ended after it was idle for `limitMs` milliseconds. One timer for all of them, which
 * runs at most once in that time, and not at all while there is none; mysql2's own looks once a second, for ever.
 */
export class IdleConnections<Connection extends Idle> {
  readonly #limitMs: number;
  /** Since when each is idle, on the monotonic clock; the longest idle one first. */
  readonly #since = new Map<Connection, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** It is idle from now on. */
  add(connection: Connection): void {
    if (this.#isClosed) return;
    this.#since.delete(connection);
    this.#since.set(connection, performance.now());
    this.#timer ??= this.#lookIn(this.#limitMs);
  }

  /** It is used again, or has ended. */
  delete(connection: Connection): void {
    this.#since.delete(connection);
  }

  /** Forgets them all, and whatever is added from now on: somebody else ends them. */
  close(): void {
    this.#isClosed = true;
    this.#since.clear();
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): NodeJS.Timeout {
    // Open connections keep the process alive, and nothing else of this needs to.
    return setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    this.#timer = undefined;
    for (const [connection, since] of this.#since) {
      const leftMs = since + this.#limitMs - performance.now();
      if (leftMs > 0) {
        this.#timer = this.#lookIn(leftMs);
        return;
      }
      this.#since.delete(connection);
      connection.end();
    }
  }
}
