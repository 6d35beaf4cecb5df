// Ends connections that have been idle for too long.

/** The method of a connection that is used here. */
interface Idle {
  /** Ends the connection with the protocol's goodbye. */
  end(): void;
}

/**
 * The connections that nobody uses at present; each is ended after `limitMs` milliseconds idle. One timer serves all of them.
 * It fires at most once in that time, and does not run while there is no idle connection; mysql2's own timer fires each second
 * for ever.
 */
export class IdleConnections<Connection extends Idle> {
  readonly #limitMs: number;
  /** Since when each connection is idle, on the monotonic clock; the one idle longest is first. */
  readonly #since = new Map<Connection, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Adds a connection that is idle from now on. */
  add(connection: Connection): void {
    if (this.#isClosed) return;
    this.#since.delete(connection);
    this.#since.set(connection, performance.now());
    this.#timer ??= this.#lookIn(this.#limitMs);
  }

  /** Removes a connection that is used again or has ended. */
  delete(connection: Connection): void {
    this.#since.delete(connection);
  }

  /** Removes all connections and ignores later ones: somebody else ends them. */
  close(): void {
    this.#isClosed = true;
    this.#since.clear();
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): NodeJS.Timeout {
    // Open connections keep the process alive; this timer does not need to.
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
