// The worker that is loaded with its first piece of work.
import type { Answer, Away } from './answer.ts';
import type { AsksWorker, Worker } from './client.ts';
import type { WorkerOwner } from './create.ts';
import type { Work } from './work.ts';

/** Loads and creates the worker when somebody asks for the first time: a daemon without checks of the network needs none of it. */
export class LazyWorker implements AsksWorker {
  readonly #owner: WorkerOwner;
  #worker: Promise<Worker> | undefined;
  #isStopped = false;

  constructor(owner: WorkerOwner) {
    this.#owner = owner;
  }

  async ask(work: Work, timeoutMs: number, signal: AbortSignal): Promise<Answer | Away> {
    if (this.#isStopped) return { kind: 'away', reason: 'the worker was stopped' };
    this.#worker ??= import('./create.ts').then(({ createWorker }) => createWorker(this.#owner));
    const worker = await this.#worker;
    return worker.ask(work, timeoutMs, signal);
  }

  /** Ends the worker at once. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    (await this.#worker)?.stop();
  }
}
