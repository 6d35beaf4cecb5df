import type { Server } from 'node:net';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

/** The servers that listen, each kept until its last connection has ended. */
export class OpenServers {
  readonly #log: Logger;
  readonly #closed = new Set<Promise<void>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Adds a server that has begun to listen; `name` names it in the log if it has an error later. */
  follow(server: Server, name: string): void {
    server.removeAllListeners('error');
    server.on('error', (error) => this.#log.error(`${name}: ${errorMessage(error)}`));
    const closed = new Promise<void>((resolve) => server.once('close', resolve));
    this.#closed.add(closed);
    void closed.then(() => this.#closed.delete(closed));
  }

  /** Resolves when all of them accept no more connections and have none left. */
  async ended(): Promise<void> {
    await Promise.all(this.#closed);
  }
}
