// The port of the worker's process: how it is started and ended.
import type { Socket } from 'node:net';

/** A running worker. */
export interface WorkerProcess {
  /** Our end of the connection to it; its other end is the worker's standard input and output. */
  readonly socket: Socket;
  /** Resolves when it has ended, or has closed its connection; one line how. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it at once, whatever it does. Idempotent. */
  kill(): void;
}

/** Starts one worker; each call starts another one. Never rejects. */
export type StartWorker = () => Promise<
  | { readonly kind: 'started'; readonly worker: WorkerProcess }
  /** `reason`: one line. */
  | { readonly kind: 'not_started'; readonly reason: string }
>;
