// The check of the type `host`: what is wrong with the machine as a whole.
import { soon } from '../../../core/clock.ts';
import { type Deadline, withDeadline } from '../../../core/deadline.ts';
import { errorMessage } from '../../../core/errors.ts';
import { hiddenProcesses } from '../../../system/proc/hidden.ts';
import type { CheckParts, CheckTarget, CheckType, Finding, Reading } from '../check.ts';
import { worstOf } from '../worst.ts';
import { lookAtFilesystems } from './host/filesystems.ts';
import { judgeLoad, judgeMemoryPressure, judgeOpenFiles, judgeSwap, type Missing, readKernelFile } from './host/kernel.ts';
import { judgeListeners } from './host/listeners.ts';
import { OomKills, victimsOfJournal } from './host/oom.ts';
import { HOST_KEYS, type HostOptions, parseHost } from './host/options.ts';
import { judgeCpu, judgeMemory, judgeRootPrograms, judgeZombies } from './host/processes.ts';
import { ProcessSamples, type Sample } from './host/sample.ts';

/** `[check.NAME]` with `type = host`. Each measure has a state of its own, so that one does not hide another. */
export const hostCheck: CheckType<HostOptions> = {
  keys: HOST_KEYS,
  hasOnlyParts: true,
  parse: parseHost,
  create: (options, _check, parts) => new HostTarget(options, parts),
};

class HostTarget implements CheckTarget {
  readonly description = 'this host';
  readonly #options: HostOptions;
  readonly #parts: Pick<CheckParts, 'clock' | 'files' | 'programs'>;
  readonly #samples: ProcessSamples;
  readonly #oomKills = new OomKills(readKernelFile, victimsOfJournal);
  /** Ends with the last look: two at once would each take the other's sample for the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: HostOptions, parts: CheckParts) {
    this.#options = options;
    this.#parts = parts;
    this.#samples = new ProcessSamples(parts.programs.table, parts.clock, [
      ...(options.memoryPercent === undefined ? [] : (['memoryPercent'] as const)),
      ...(options.rootPrograms.length === 0 ? [] : (['uids', 'executable'] as const)),
    ]);
  }

  look(timeoutMs: number, signal: AbortSignal, isAside = false): Promise<Reading> {
    const look = this.#last.then(() => this.#look(timeoutMs, signal, isAside)).catch(cannotBeRead);
    this.#last = look;
    return look;
  }

  async #look(timeoutMs: number, signal: AbortSignal, isAside: boolean): Promise<Reading> {
    const { clock } = this.#parts;
    const found: Record<string, Finding> = {};
    await withDeadline(clock, timeoutMs, signal, async (deadline) => {
      const kernel = {
        ...this.#lookAtKernel(),
        oom_kills: await this.#lookAtOomKills(deadline.remainingMs() / 2, signal, isAside),
      };
      for (const [key, finding] of Object.entries(kernel)) {
        if (finding === undefined) continue;
        if (finding.kind !== 'missing') found[key] = finding;
        // If nobody has asked for it, a machine that does not have it is as good as others.
        else if (this.#options.wanted.includes(key)) found[key] = { kind: 'unknown', reason: finding.reason };
      }
      const slow = await Promise.all([this.#lookAtProcesses(deadline), this.#lookAtDisks(deadline.remainingMs(), signal)]);
      Object.assign(found, ...slow);
    });
    return { ...(worstOf(Object.values(found)) ?? OK), parts: found };
  }

  #lookAtKernel(): Record<string, Finding | Missing | undefined> {
    const { loadPerCore, swapPercent, memoryPressure, openFilesPercent } = this.#options;
    return {
      load_per_core: loadPerCore === undefined ? undefined : tried(() => judgeLoad(readKernelFile, loadPerCore)),
      swap_percent: swapPercent === undefined ? undefined : tried(() => judgeSwap(readKernelFile, swapPercent)),
      memory_pressure:
        memoryPressure === undefined ? undefined : tried(() => judgeMemoryPressure(readKernelFile, memoryPressure)),
      open_files_percent:
        openFilesPercent === undefined ? undefined : tried(() => judgeOpenFiles(readKernelFile, openFilesPercent)),
    };
  }

  /** Half of the time is enough: who was killed is worth less than what else is found. */
  async #lookAtOomKills(timeoutMs: number, signal: AbortSignal, isAside: boolean): Promise<Finding | Missing | undefined> {
    if (!this.#options.oomKills) return undefined;
    return this.#oomKills.look(this.#parts.clock.date(), timeoutMs, signal, isAside).catch(cannotBeRead);
  }

  async #lookAtProcesses({ remainingMs, signal }: Deadline): Promise<Record<string, Finding>> {
    const { clock } = this.#parts;
    const { cpuPercent, memoryPercent, except, zombies, rootPrograms, listeners } = this.#options;
    const { table } = this.#parts.programs;
    const found: Record<string, Finding> = {};
    const judges: Record<string, false | ((sample: Sample) => Finding | Promise<Finding>)> = {
      cpu_percent: cpuPercent !== undefined && ((sample) => judgeCpu(table, sample, cpuPercent, except)),
      memory_percent: memoryPercent !== undefined && ((sample) => judgeMemory(table, sample, memoryPercent, except)),
      zombies: zombies !== undefined && ((sample) => judgeZombies(table, sample, zombies)),
      root_programs: rootPrograms.length > 0 && ((sample) => judgeRootPrograms(sample, rootPrograms)),
    };
    const hidden = hiddenProcesses();
    const none: Finding = { kind: 'unknown', reason: hidden ?? 'the processes could not be read in time' };
    /** What is not finished in time hides nothing else. */
    const inTime = async (work: Promise<Finding>): Promise<Finding> => {
      const finding = await soon(clock, remainingMs(), work.catch(cannotBeRead), signal);
      return finding === 'late' ? none : finding;
    };
    const wanted = Object.entries(judges).filter(([, judge]) => judge !== false);
    const sampling = hidden === undefined && wanted.length > 0 ? this.#samples.take(signal) : Promise.resolve(undefined);
    const judged = wanted.map(async ([key, judge]) => {
      const work = sampling.then((sample) => (sample === undefined || judge === false ? none : judge(sample)));
      found[key] = await inTime(work);
    });
    await Promise.all(judged);
    if (listeners.length > 0) found.listeners = await inTime(judgeListeners(table, listeners, signal));
    return found;
  }

  async #lookAtDisks(timeoutMs: number, signal: AbortSignal): Promise<Record<string, Finding>> {
    const { diskPercent, inodePercent } = this.#options;
    if (diskPercent === undefined && inodePercent === undefined) return {};
    const look = lookAtFilesystems({ diskPercent, inodePercent }, this.#parts.files, timeoutMs, signal);
    return look.catch((error: unknown) => ({ disk_percent: cannotBeRead(error) }));
  }
}

function tried(judge: () => Finding | Missing): Finding | Missing {
  try {
    return judge();
  } catch (error) {
    return cannotBeRead(error);
  }
}

function cannotBeRead(error: unknown): Finding {
  return { kind: 'unknown', reason: `it cannot be read: ${errorMessage(error)}` };
}

const OK = { kind: 'ok' } as const;
