// What all processes of the machine use, from one look to the next.
import type { Clock } from '../../../../core/clock.ts';
import { hasEnded, MS_PER_TICK } from '../../../../system/proc/parse.ts';
import type { ProcessInfo, ProcessTable } from '../../../../system/proc/table.ts';

const FIELDS = ['name', 'ppid', 'state', 'threads', 'startTime', 'kernelThread', 'userCpuMs', 'systemCpuMs'] as const;
type Field = (typeof FIELDS)[number] | 'memoryPercent' | 'uids' | 'executable';

/** A process as it was sampled; what nobody asked for is absent. */
export type SampledProcess = ProcessInfo<Field>;

/** All processes at one moment, and what they have used since the one before. */
export interface Sample {
  readonly processes: ReadonlyMap<number, SampledProcess>;
  /** By pid: percent of one core since the sample before; 100 is one core all the time. What began in between has used it since then. */
  readonly cpuPercent: ReadonlyMap<number, number>;
  /** Those that have ended and are not reaped, with the monotonic time at which they were first seen so. */
  readonly zombies: ReadonlyMap<SampledProcess, number>;
  /** No look was made before: for how long a zombie has been one is not known. */
  readonly isFirst: boolean;
  readonly takenMs: number;
}

/** All processes as they were read, by pid, and when. */
interface Read {
  readonly atMs: number;
  readonly processes: ReadonlyMap<number, SampledProcess>;
}

/** Takes samples; each is compared with the one before. */
export class ProcessSamples {
  readonly #table: ProcessTable;
  readonly #clock: Clock;
  readonly #fields: readonly Field[];
  #before: Read | undefined;
  #zombies: ReadonlyMap<string, number> = new Map();

  /** `more`: what is read besides. */
  constructor(table: ProcessTable, clock: Clock, more: readonly Field[]) {
    this.#table = table;
    this.#clock = clock;
    this.#fields = [...FIELDS, ...more];
  }

  /** Takes one; the first takes a second longer, because it has none before it. Undefined if `signal` aborts. */
  async take(signal: AbortSignal): Promise<Sample | undefined> {
    const isFirst = this.#before === undefined;
    this.#before ??= await this.#read();
    const passedMs = this.#clock.monotonicMs() - this.#before.atMs;
    // The kernel counts in steps of 10 ms.
    if (passedMs < SHORTEST_MS) await this.#clock.sleep(SHORTEST_MS - passedMs, signal);
    if (signal.aborted) return undefined;
    const [before, now] = [this.#before, await this.#read()];
    this.#before = now;
    const cpuPercent = new Map<number, number>();
    for (const process of now.processes.values()) {
      const usedMs = cpuMs(process) - cpuMs(sameIn(before.processes, process));
      cpuPercent.set(process.pid, (Math.max(usedMs, 0) / Math.max(now.atMs - before.atMs, MS_PER_TICK)) * 100);
    }
    return {
      processes: now.processes,
      cpuPercent,
      zombies: this.#zombiesOf(now.processes, now.atMs),
      isFirst,
      takenMs: now.atMs,
    };
  }

  async #read(): Promise<Read> {
    const processes = await this.#table.survey(this.#fields);
    return { atMs: this.#clock.monotonicMs(), processes: new Map(processes.map((one) => [one.pid, one])) };
  }

  #zombiesOf(processes: ReadonlyMap<number, SampledProcess>, nowMs: number): Map<SampledProcess, number> {
    const found = [...processes.values()].filter((process) => process.state === 'Z' && hasEnded(process));
    const since = new Map(found.map((zombie) => [zombie, this.#zombies.get(keyOf(zombie)) ?? nowMs]));
    this.#zombies = new Map([...since].map(([zombie, sinceMs]) => [keyOf(zombie), sinceMs]));
    return since;
  }
}

function sameIn(
  processes: ReadonlyMap<number, SampledProcess>,
  { pid, startTime }: SampledProcess,
): SampledProcess | undefined {
  const one = processes.get(pid);
  return one?.startTime === startTime ? one : undefined;
}

function cpuMs(process: SampledProcess | undefined): number {
  return process === undefined ? 0 : process.userCpuMs + process.systemCpuMs;
}

function keyOf({ pid, startTime }: SampledProcess): string {
  return `${pid}@${startTime}`;
}

const SHORTEST_MS = 1000;
