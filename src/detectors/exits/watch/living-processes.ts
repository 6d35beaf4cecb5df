import { type PidWatch, watchPid } from '../../../system/proc/pid-watch.ts';
import type { ProcessIdentity } from '../../../system/proc/table.ts';
import type { WatchParts } from './parts.ts';

/** The processes of a watched one that are known to run; the end of each is awaited. */
export class LivingProcesses {
  readonly #name: string;
  readonly #parts: Pick<WatchParts, 'table' | 'clock' | 'pids'>;
  readonly #living = new Map<number, PidWatch>();

  constructor(name: string, parts: Pick<WatchParts, 'table' | 'clock' | 'pids'>) {
    this.#name = name;
    this.#parts = parts;
  }

  get size(): number {
    return this.#living.size;
  }

  /** How many of them are polled, because there are no file descriptors to wait with. */
  get looked(): number {
    return [...this.#living.values()].filter(({ by }) => by === 'looks').length;
  }

  /**
   * Waits for the ends of the new ones. `onEnd` gets the wait status, as far as it is known; the process is still in the set
   * then.
   */
  add(processes: readonly ProcessIdentity[], onEnd: (process: ProcessIdentity, status: number | undefined) => void): void {
    const { table, clock, pids } = this.#parts;
    for (const process of processes) {
      if (this.#living.has(process.pid)) continue;
      this.#living.set(
        process.pid,
        watchPid(process, { table, clock }, (status) => onEnd(process, status)),
      );
      pids.add(process.pid, this.#name);
    }
  }

  /** Removes one that has ended; its pid still maps to its name. */
  remove(pid: number): void {
    this.#living.delete(pid);
  }

  /** Stops waiting for all running processes but these. */
  keepOnly(processes: readonly ProcessIdentity[]): void {
    for (const pid of [...this.#living.keys()]) {
      // One that has ended just now is still to be reported.
      if (!processes.some((process) => process.pid === pid) && this.#parts.table.isRunning(pid)) this.#release(pid);
    }
  }

  /** Stops waiting for all. */
  clear(): void {
    for (const pid of [...this.#living.keys()]) this.#release(pid);
  }

  #release(pid: number): void {
    this.#living.get(pid)?.stop();
    this.#living.delete(pid);
    this.#parts.pids.remove(pid, this.#name);
  }
}
