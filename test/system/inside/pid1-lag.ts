/** The longest time that the loop of this process was held up, in milliseconds. */
export interface Held {
  /** By whatever it was: its own work, something it waited for, or other processes of a busy machine. */
  readonly wallMs: number;
  /** By its own work: no more than the CPU time that the process took meanwhile. */
  readonly workMs: number;
}

export interface Lag {
  /** Since the last call, or the start; from now on it is measured anew. */
  take(): Held;
  stop(): void;
}

/** Looks every 5 ms. */
export function measureLag(): Lag {
  let worst: Held = { wallMs: 0, workMs: 0 };
  let [lastMs, lastCpu] = [performance.now(), process.cpuUsage()];
  const look = (): void => {
    const [nowMs, cpu] = [performance.now(), process.cpuUsage(lastCpu)];
    const wallMs = Math.max(nowMs - lastMs - LOOK_MS, 0);
    const workMs = Math.min(wallMs, (cpu.user + cpu.system) / 1000);
    worst = { wallMs: Math.max(worst.wallMs, wallMs), workMs: Math.max(worst.workMs, workMs) };
    [lastMs, lastCpu] = [nowMs, process.cpuUsage()];
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    take: () => {
      look();
      const taken = worst;
      worst = { wallMs: 0, workMs: 0 };
      return taken;
    },
    stop: () => clearInterval(timer),
  };
}

const LOOK_MS = 5;

// As a program of its own: does nothing else, and says at each line that it is given how it was. What this machine does to a process.
if (process.argv[1] === import.meta.filename) {
  const lag = measureLag();
  process.stdout.write('begun\n');
  process.stdin.on('data', () => process.stdout.write(`${lag.take().wallMs}\n`));
  process.stdin.on('end', () => process.exit(0));
}
