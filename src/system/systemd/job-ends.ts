import type { Limit } from './dbus/connection.ts';
import type { Pid1Link, RemovedJob } from './link.ts';

/** Listens for the end of jobs from its construction on: a job may end before the call that created it is answered. */
export class JobEnds {
  readonly #link: Pid1Link;
  readonly #ended = new Map<string, RemovedJob>();
  readonly #stop: () => void;
  #wanted = '';
  #wake: (job: RemovedJob) => void = () => {};

  constructor(link: Pid1Link) {
    this.#link = link;
    this.#stop = link.onJob((job) => {
      if (this.#wanted === '') this.#ended.set(job.path, job);
      else if (job.path === this.#wanted) this.#wake(job);
    });
  }

  /** Returns how the job at that path ended. Waits at most as long as `limit` says. Must be called only once. */
  async of(
    path: string,
    { timeoutMs, signal }: Limit,
  ): Promise<{ readonly kind: 'ended'; readonly job: RemovedJob } | { readonly kind: 'late' } | { readonly kind: 'lost' }> {
    this.#wanted = path;
    const early = this.#ended.get(path);
    this.#ended.clear();
    if (early !== undefined) return { kind: 'ended', job: early };
    return new Promise((resolve) => {
      const finish = (end: Awaited<ReturnType<JobEnds['of']>>): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', late);
        stopLost();
        resolve(end);
      };
      const late = (): void => finish({ kind: 'late' });
      const stopLost = this.#link.onLost(() => finish({ kind: 'lost' }));
      const timer = setTimeout(late, timeoutMs);
      signal?.addEventListener('abort', late, { once: true });
      if (signal?.aborted) late();
      this.#wake = (job) => finish({ kind: 'ended', job });
    });
  }

  /** Stops listening. */
  stop(): void {
    this.#stop();
  }
}
