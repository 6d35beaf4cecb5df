import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The longest time that the loop of this process was held up since the call of `measureLag`, in milliseconds. */
export interface Lag {
  /** Up to now; from now on it is measured anew. */
  take(): number;
  stop(): void;
}

/** Looks every 5 ms. */
export function measureLag(): Lag {
  const delays = monitorEventLoopDelay({ resolution: LOOK_MS });
  delays.enable();
  return {
    take: () => {
      const lag = Math.max(delays.max / 1e6 - LOOK_MS, 0);
      delays.reset();
      return lag;
    },
    stop: () => void delays.disable(),
  };
}

const LOOK_MS = 5;

// As a program of its own: does nothing else, and says at each line that it is given how it was. What this machine does to a process.
if (process.argv[1] === import.meta.filename) {
  const lag = measureLag();
  process.stdout.write('begun\n');
  process.stdin.on('data', () => process.stdout.write(`${lag.take()}\n`));
  process.stdin.on('end', () => process.exit(0));
}
