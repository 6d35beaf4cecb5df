// The signals of the process, as a command receives them.
import type { DaemonSignals } from '../app/daemon.ts';

/** The part of `process` that is used. */
interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: () => void): unknown;
}

/**
 * Listens from now on: the first SIGTERM or SIGINT is the stop, every further one the abort, SIGHUP the reload. A signal that
 * comes before a handler is registered is delivered when it is.
 */
export function listenForSignals(source: SignalSource): DaemonSignals {
  const stop = new PendingSignal();
  const abort = new PendingSignal();
  const reload = new PendingSignal();
  const end = (): void => (stop.occurred ? abort : stop).occur();
  source.on('SIGTERM', end);
  source.on('SIGINT', end);
  source.on('SIGHUP', () => reload.occur());
  return {
    onStop: (handler) => stop.subscribe(handler),
    onAbort: (handler) => abort.subscribe(handler),
    onReload: (handler) => reload.subscribe(handler),
  };
}

class PendingSignal {
  occurred = false;
  #handlers: (() => void)[] = [];

  occur(): void {
    this.occurred = true;
    for (const handler of this.#handlers) handler();
  }

  subscribe(handler: () => void): void {
    this.#handlers.push(handler);
    if (this.occurred) handler();
  }
}
