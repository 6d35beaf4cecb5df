import { ProcessTable } from '../proc/table.ts';

/**
 * Knows when a process has ended. The kernel tells of the end of threads, and that of the first one, whose number is the
 * process's, is not yet the process's: others may run on for hours (it called pthread_exit), or one of them has just executed a
 * program and takes its place. Who has ever had threads, or was there before us, is looked up in /proc; who has had none is not,
 * for that would cost more than all the rest.
 */
export class ProcessEnds {
  readonly #runsOn: (pid: number) => boolean;
  /** By process number. */
  #threads = new Uint8Array(PID_LIMIT);
  /** Whose first thread has ended, while others run on. */
  readonly #headless = new Map<number, HeadlessProcess>();

  /** `runsOn` is for tests: false where the process has ended, reaped or not. */
  constructor(runsOn: (pid: number) => boolean = runningInProc()) {
    this.#runsOn = runsOn;
  }

  /** A new process. If a headless one had this number, it has ended: that is returned. */
  born(pid: number): HeadlessProcess | undefined {
    this.#threads[pid] = ONE;
    if (this.#headless.size === 0) return undefined;
    const former = this.#headless.get(pid);
    this.#headless.delete(pid);
    return former;
  }

  threadBorn(pid: number): void {
    this.#threads[pid] = SEVERAL;
  }

  /** It executed a program: no thread but this one has survived that, and this one is now the first. */
  executed(pid: number): void {
    this.#threads[pid] = ONE;
    if (this.#headless.size > 0) this.#headless.delete(pid);
  }

  /** Its first thread has ended. True: so has the process; false: it runs on, and `threadEnded` or `lookAgain` will tell. */
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
   * Another thread of it has ended. The process, where it has ended with that: with the status of this thread, for the first
   * one's is 0 where it ended alone, and all have the same where the process was ended as a whole.
   */
  threadEnded(pid: number, status: number): HeadlessProcess | undefined {
    if (this.#headless.size === 0) return undefined;
    const headless = this.#headless.get(pid);
    if (headless === undefined || this.#runsOn(pid)) return undefined;
    this.#headless.delete(pid);
    return { ...headless, status };
  }

  /** Those of whom no event told that they have ended: it was lost, or a tracer kept the last thread. */
  lookAgain(): HeadlessProcess[] {
    const ended = [...this.#headless.values()].filter(({ pid }) => !this.#runsOn(pid));
    for (const { pid } of ended) this.#headless.delete(pid);
    return ended;
  }

  /** True while `lookAgain` may find something. */
  get waiting(): boolean {
    return this.#headless.size > 0;
  }

  /** Events are missing: what is known of threads may be wrong. */
  forget(): void {
    this.#threads = new Uint8Array(PID_LIMIT);
  }
}

/** A process that has lost its first thread. */
export interface HeadlessProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly status: number;
}

function runningInProc(): (pid: number) => boolean {
  const table = new ProcessTable();
  return (pid) => table.isRunning(pid);
}

/** The most that the kernel gives (proc_sys_kernel(5), pid_max). Pages that are never written to take no memory. */
const PID_LIMIT = 2 ** 22;
const UNKNOWN = 0;
const ONE = 1;
const SEVERAL = 2;
