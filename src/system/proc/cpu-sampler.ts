// The CPU use of processes between two looks.
import { MS_PER_TICK } from './parse.ts';
import type { ProcessInfo, ProcessTable } from './table.ts';

/** The fields that a look must have read: `list(CPU_FIELDS)`, or these and others. */
export const CPU_FIELDS = ['startTime', 'userCpuMs', 'systemCpuMs'] as const;

/** The CPU use of processes from one look at the table to the next. */
export class CpuSampler {
  readonly #table: ProcessTable;
  #lookedAtMs = 0;
  #before: ReadonlyMap<number, CpuReading> = new Map();
  #percents: ReadonlyMap<number, number> = new Map();

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /**
   * Must be called immediately after each look, with all of its processes. Returns the percentage of one CPU since the previous
   * look, by pid; more than 100 for threads on several CPUs. A process that existed before needs a previous look; a process
   * that has started since counts from zero. Looks that follow each other within 100 ms get the previous result: the kernel's
   * counters advance in steps of 10 ms.
   */
  sample(processes: readonly CpuReading[]): ReadonlyMap<number, number> {
    const nowMs = this.#table.uptimeMs();
    const elapsedMs = nowMs - this.#lookedAtMs;
    if (this.#lookedAtMs > 0 && elapsedMs < MIN_INTERVAL_MS) return this.#percents;
    const percents = new Map<number, number>();
    for (const process of processes) {
      const usedMs = this.#lookedAtMs === 0 ? undefined : this.#used(process);
      if (usedMs !== undefined) percents.set(process.pid, (Math.max(0, usedMs) / elapsedMs) * 100);
    }
    this.#lookedAtMs = nowMs;
    this.#before = new Map(processes.map((process) => [process.pid, process]));
    this.#percents = percents;
    return percents;
  }

  #used(process: CpuReading): number | undefined {
    const before = this.#before.get(process.pid);
    if (before?.startTime === process.startTime) return cpuMs(process) - cpuMs(before);
    return process.startTime * MS_PER_TICK >= this.#lookedAtMs - MS_PER_TICK ? cpuMs(process) : undefined;
  }
}

/** One process of such a look. */
export type CpuReading = ProcessInfo<(typeof CPU_FIELDS)[number]>;

const MIN_INTERVAL_MS = 100;

function cpuMs({ userCpuMs, systemCpuMs }: CpuReading): number {
  return userCpuMs + systemCpuMs;
}
