/** A random pause of at least 0.2 s and at most 1, 2, 4 … 30 s, by the number of faults in a row (full jitter); `random`: 0 to 1. */
export function backoffMs(faults: number, random: () => number): number {
  const ceiling = Math.min(1000 * 2 ** Math.max(faults - 1, 0), RETRY_CEILING_MS);
  return Math.max(MIN_RETRY_MS, random() * ceiling);
}

const RETRY_CEILING_MS = 30_000;
const MIN_RETRY_MS = 200;
