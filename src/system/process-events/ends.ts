import { ProcessTable } from '../proc/table.ts';

/**
 * Detects when a process has ended. The kernel reports the end of each thread. The end of the first thread, whose number is the
 * process's, does not mean that the process has ended: other threads may run on for hours (it called pthread_exit), or one of
 * them has just executed a program and takes its place. A process that has ever had several threads, or existed before us, is
 * looked up in /proc; one with a single thread is not, because that would take more time than everything else.
 */
export class ProcessEnds {
  readonly #runsOn: (pid: number) => boolean;
  /** The number of threads (UNKNOWN, ONE, SEVERAL), by process number. */
  #threads = new Uint8Array(PID_LIMIT);
  /** The processes whose first thread has ended while others run on. */
  readonly #headless = new Map<number, HeadlessProcess>();

  /** `runsOn` is for tests: it returns false if the process has ended, reaped or not. */
  constructor(runsOn: (pid: number) => boolean = runningInProc()) {
    this.#runsOn = runsOn;
  }

  /** A new process has started. If a headless one had this number, it has ended: that one is returned. */
  processStarted(pid: number): HeadlessProcess | undefined {
    this.#threads[pid] = ONE;
    if (this.#headless.size === 0) return undefined;
    const former = this.#headless.get(pid);
    this.#headless.delete(pid);
    return former;
  }

  threadStarted(pid: number): void {
    this.#threads[pid] = SEVERAL;
  }

  /** The process executed a program: only this thread has survived that, and it is now the first. */
  executed(pid: number): void {
    this.#threads[pid] = ONE;
    if (this.#headless.size > 0) this.#headless.delete(pid);
  }

  /**
   * The first thread has ended. True: so has the process. False: it runs on, and `threadEnded` or `lookAgain` will report its
   * end.
   */
  firstThreadEnded(pid: number, parentPid: number, status: number): boolean {
    const single = this.#threads[pid] === ONE;
    this.#threads[pid] = UNKNOWN;
    if (single || !this.#runsOn(pid)) {
      if (this.#headless.size > 0) this.#headless.delete(pid);
      return true;
    }
    this.#headless.set(pid, { pid, parentPid, status });
    return false;
  }

  /**
   * Another thread has ended. Returns the process if it has ended with that, with the status of this thread: the first thread's
   * is 0 if it ended alone, and all threads have the same if the process ended as a whole.
   */
  threadEnded(pid: number, status: number): HeadlessProcess | undefined {
    if (this.#headless.size === 0) return undefined;
    const headless = this.#headless.get(pid);
    if (headless === undefined || this.#runsOn(pid)) return undefined;
    this.#headless.delete(pid);
    return { ...headless, status };
  }

  /** The processes that have ended without an event: it was lost, or a tracer kept the last thread. */
  lookAgain(): HeadlessProcess[] {
    const ended = [...this.#headless.values()].filter(({ pid }) => !this.#runsOn(pid));
    for (const { pid } of ended) this.#headless.delete(pid);
    return ended;
  }

  /** True as long as `lookAgain` may find something. */
  get waiting(): boolean {
    return this.#headless.size > 0;
  }

  /** Events were lost: what is known about threads may be wrong, so it is dropped. */
  forget(): void {
    this.#threads = new Uint8Array(PID_LIMIT);
  }
}

/** A process whose first thread has ended. */
export interface HeadlessProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly status: number;
}

function runningInProc(): (pid: number) => boolean {
  const table = new ProcessTable();
  return (pid) => table.isRunning(pid);
}

/**
 * The highest process number that the kernel assigns (proc_sys_kernel(5), pid_max). Pages that are never written to take no
 * memory.
 */
const PID_LIMIT = 2 ** 22;
const UNKNOWN = 0;
const ONE = 1;
const SEVERAL = 2;
