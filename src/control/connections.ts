import type { Socket } from 'node:net';

/** The open connections of a server, oldest first: at most `limit`, and above it the oldest one that is not being served goes. */
export class Connections {
  readonly #limit: number;
  /** True from the moment its order is being carried out. */
  readonly #open = new Map<Socket, boolean>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts a connection until it closes. */
  add(connection: Socket): void {
    this.#open.set(connection, false);
    connection.once('close', () => this.#open.delete(connection));
    if (this.#open.size <= this.#limit) return;
    for (const [other, busy] of this.#open) {
      if (busy) continue;
      this.#end(other);
      return;
    }
  }

  /** From now on its order is being carried out, and it waits for the answer. */
  markBusy(connection: Socket): void {
    if (this.#open.has(connection)) this.#open.set(connection, true);
  }

  isBusy(connection: Socket): boolean {
    return this.#open.get(connection) === true;
  }

  /** Ends those that have asked nothing. */
  endIdle(): void {
    for (const [connection, busy] of this.#open) if (!busy) this.#end(connection);
  }

  endAll(): void {
    for (const connection of this.#open.keys()) this.#end(connection);
  }

  #end(connection: Socket): void {
    this.#open.delete(connection);
    connection.destroy();
  }
}
