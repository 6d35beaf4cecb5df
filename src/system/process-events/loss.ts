/**
 * Counts the events that the kernel could not deliver. It numbers the events of each processor, so gaps show exactly how many
 * are missing; unless it leaves out some because of a filter. Then we only know that a buffer was full, which counts as one.
 */
export class EventLoss {
  /** The last number by processor; undefined before its first event. */
  #lastSequence: (number | undefined)[] = [];
  readonly #byGaps: boolean;
  /** Losses that were reported in advance, as one event each; the next gap includes them. */
  #reportedAhead = 0;
  #overrun = false;

  constructor(options: { readonly byGaps: boolean }) {
    this.#byGaps = options.byGaps;
  }

  /** An event with this number came: returns how many before it are missing and not reported yet. */
  before(cpu: number, sequence: number): number {
    if (!this.#byGaps || cpu >= MAX_CPUS) return 0;
    const last = this.#lastSequence[cpu];
    this.#lastSequence[cpu] = sequence;
    if (last === undefined) return 0;
    const missing = (sequence - last - 1) >>> 0;
    // A number that went backwards is not a gap of four thousand million.
    if (missing === 0 || missing >= 2 ** 31) return 0;
    const reported = Math.min(missing, this.#reportedAhead);
    this.#reportedAhead -= reported;
    this.#overrun = false;
    return missing - reported;
  }

  /** The kernel reported that its buffer was full. */
  overrun(): void {
    this.#overrun = true;
  }

  /** All buffered events have been read: returns 1 if something was lost that no gap has shown yet, as on an idle machine. */
  afterDrain(): number {
    if (!this.#overrun) return 0;
    this.#overrun = false;
    this.#reportedAhead += 1;
    return 1;
  }
}

/** No kernel supports more (CONFIG_NR_CPUS). */
const MAX_CPUS = 65_536;
