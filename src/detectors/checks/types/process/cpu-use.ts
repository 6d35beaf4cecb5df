// How much CPU processes use between two looks.
import { MS_PER_TICK } from '../../../../system/proc/parse.ts';
import type { ReadProcess } from './reading.ts';

/** A process as CpuUse sees it. */
type CpuReading = Pick<ReadProcess, 'pid' | 'startTime' | 'userCpuMs' | 'systemCpuMs' | 'atMs'>;

/** Measures how much CPU the processes of a check use between one look and the next. */
export class CpuUse {
  #percent: number | undefined;
  #before: { readonly atMs: number; readonly processes: ReadonlyMap<number, CpuReading> } | undefined;

  /**
   * What they have used since the look before, in percent of one core; undefined at the first look. Within half a second of the look
   * before, what that one measured: the kernel counts in steps of 10 ms. `uptimeMs`: since boot, the clock of start times. What a
   * process used that has ended in between is not counted.
   */
  since(read: readonly CpuReading[], nowMs: number, uptimeMs: number): number | undefined {
    const before = this.#before;
    const passedMs = before === undefined ? 0 : nowMs - before.atMs;
    if (before !== undefined && passedMs < SHORTEST_MS) return this.#percent;
    this.#before = { atMs: nowMs, processes: new Map(read.map((one) => [one.pid, one])) };
    this.#percent = before && used(before.processes, read, passedMs, uptimeMs);
    return this.#percent;
  }
}

/** In percent of one core, over the time that has passed since those before were read. */
function used(
  before: ReadonlyMap<number, CpuReading>,
  read: readonly CpuReading[],
  passedMs: number,
  uptimeMs: number,
): number {
  let percent = 0;
  for (const process of read) {
    const earlier = before.get(process.pid);
    const usedMs = process.userCpuMs + process.systemCpuMs;
    if (earlier?.startTime === process.startTime) {
      const since = usedMs - earlier.userCpuMs - earlier.systemCpuMs;
      percent += (since / Math.max(process.atMs - earlier.atMs, 1)) * 100;
    } else if (uptimeMs - process.startTime * MS_PER_TICK <= passedMs + MS_PER_TICK) {
      percent += (usedMs / passedMs) * 100;
    }
    // A process that was there already, and was not seen: it is not known how much of its time is from before.
  }
  return percent;
}

const SHORTEST_MS = 500;
