// The check of the type `process`: how many processes of a program run, and what they use.
import { shownText } from '../../../config/shown-value.ts';
import { soon } from '../../../core/clock.ts';
import { withDeadline } from '../../../core/deadline.ts';
import { errorMessage } from '../../../core/errors.ts';
import { withinWords } from '../../../core/text/duration.ts';
import { nameWords } from '../../../core/text/printable.ts';
import { programSeeker } from '../../../strategies/process/sought.ts';
import { hiddenProcesses } from '../../../system/proc/hidden.ts';
import type { ProcessIdentity, ProcessTable } from '../../../system/proc/table.ts';
import type { CheckParts, CheckTarget, CheckType, Reading } from '../check.ts';
import { CpuUse } from './process/cpu-use.ts';
import { judge } from './process/judgement.ts';
import { missingListeners } from './process/listeners.ts';
import { PROCESS_CHECK_KEYS, type ProcessCheckOptions, parseProcessCheck } from './process/options.ts';
import { familyOf, mostDescriptors, readFamily, unreadOf } from './process/reading.ts';

/**
 * `[check.NAME]` with `type = process`: finds the processes as `[process.NAME]` with the same keys does, and compares them and their
 * descendants with the limits. What ends between the look and the reading does not count.
 */
export const processCheck: CheckType<ProcessCheckOptions> = {
  keys: PROCESS_CHECK_KEYS,
  parse: parseProcessCheck,
  create: (options, _check, parts) => new ProcessTarget(options, parts),
};

class ProcessTarget implements CheckTarget {
  readonly description: string;
  readonly #options: ProcessCheckOptions;
  readonly #parts: Pick<CheckParts, 'clock' | 'look'>;
  readonly #table: ProcessTable;
  readonly #seek: ReturnType<typeof programSeeker>;
  readonly #cpu = new CpuUse();
  /** Ends with the last look, also if nobody waits for that any more: so that looks that take long do not accumulate. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ProcessCheckOptions, parts: CheckParts) {
    const { process, argument } = options.program;
    const distinction = argument === undefined ? '' : ` with argument ${nameWords(shownText(argument, LONGEST_SHOWN))}`;
    this.description = `process ${nameWords(process.systemName)}${distinction}`;
    this.#options = options;
    this.#parts = parts;
    this.#table = parts.programs.table;
    this.#seek = programSeeker(options.program, parts.programs);
  }

  async look(timeoutMs: number, signal: AbortSignal): Promise<Reading> {
    const { clock } = this.#parts;
    return withDeadline(clock, timeoutMs, signal, async (deadline) => {
      const work = this.#last.then(() => this.#look(deadline.signal));
      this.#last = work;
      const reading = await soon(clock, timeoutMs, work, signal);
      if (reading !== 'late' && reading !== undefined) return reading;
      return unknown(signal.aborted ? 'aborted' : `the processes could not be read ${withinWords(timeoutMs)}`);
    });
  }

  /** Undefined if it was aborted. */
  async #look(signal: AbortSignal): Promise<Reading | undefined> {
    try {
      return await this.#read(signal);
    } catch (error) {
      return unknown(`internal error: ${errorMessage(error)}`);
    }
  }

  async #read(signal: AbortSignal): Promise<Reading | undefined> {
    if (signal.aborted) return undefined;
    const look = await this.#parts.look();
    if (signal.aborted) return undefined;
    const running = await this.#seek(async () => look, signal);
    if (running.kind === 'unknown') return running;
    const { processes: found } = running;
    const options = this.#options;
    const { clock } = this.#parts;
    const table = this.#table;
    const family = await familyOf(look, found);
    if (signal.aborted) return undefined;
    const startedMs = clock.monotonicMs();
    const uptimeMs = table.uptimeMs();
    const read = await readFamily(table, family, options, () => clock.monotonicMs());
    const cpuPercent = options.cpuPercent === undefined ? undefined : this.#cpu.since(read, startedMs, uptimeMs);
    if (signal.aborted) return undefined;
    const { memory, descriptors, listens } = options;
    const unreadMemory = memory === undefined ? [] : read.filter(({ rssBytes }) => rssBytes === undefined);
    return judge(options, {
      found,
      hidden: hiddenProcesses(),
      read,
      unreadMemory: unreadOf(table, unreadMemory),
      descriptors: descriptors === undefined ? undefined : mostDescriptors(table, read, descriptors),
      cpuPercent,
      listeners: listens.length === 0 ? undefined : await missingListeners(table, found, read, listens),
      ageMs: ageOf(table, found),
    });
  }
}

/** Of the oldest process. Undefined if it is not known: in some containers uptime and start times are not of the same clock. */
function ageOf(table: ProcessTable, [oldest]: readonly ProcessIdentity[]): number | undefined {
  if (oldest === undefined || table.isUnreadable()) return undefined;
  const ageMs = table.ageMs(oldest);
  return ageMs < -CLOCK_STEP_MS ? undefined : ageMs;
}

function unknown(reason: string): Reading {
  return { kind: 'unknown', reason };
}

/** /proc/uptime and start times have steps of 10 ms. */
const CLOCK_STEP_MS = 20;
const LONGEST_SHOWN = 60;
