/**
 * Counts the events that the kernel could not deliver. It numbers the events of each processor, so gaps tell exactly how many;
 * unless it leaves out some because a filter says so. Then only that a buffer was full is known, which counts as one.
 */
export class EventLoss {
  /** By processor; undefined before its first event. */
  #lastSequence: (number | undefined)[] = [];
  readonly #byGaps: boolean;
  /** Told as one event already, which the next gap explains. */
  #toldAhead = 0;
  #overrun = false;

  constructor(options: { readonly byGaps: boolean }) {
    this.#byGaps = options.byGaps;
  }

  /** An event with this number came: how many before it did not, as far as that has not been told yet. */
  before(cpu: number, sequence: number): number {
    if (!this.#byGaps || cpu >= MAX_CPUS) return 0;
    const last = this.#lastSequence[cpu];
    this.#lastSequence[cpu] = sequence;
    if (last === undefined) return 0;
    const missing = (sequence - last - 1) >>> 0;
    // A number that went back is no gap of four thousand millions.
    if (missing === 0 || missing >= 2 ** 31) return 0;
    const told = Math.min(missing, this.#toldAhead);
    this.#toldAhead -= told;
    this.#overrun = false;
    return missing - told;
  }

  /** The kernel said that its buffer was full. */
  overrun(): void {
    this.#overrun = true;
  }

  /** Everything that was kept has been read: 1 where something was lost that no gap has shown yet, as on an idle machine. */
  afterDrain(): number {
    if (!this.#overrun) return 0;
    this.#overrun = false;
    this.#toldAhead += 1;
    return 1;
  }
}

/** No kernel is built for more (CONFIG_NR_CPUS). */
const MAX_CPUS = 65_536;
