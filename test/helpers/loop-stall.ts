import { setImmediate as turn } from 'node:timers/promises';

/**
 * The longest that the loop stood still while `work` went on, in milliseconds, and what it came to. In processor time of this
 * thread: how busy the machine is otherwise plays no part; or by another clock, such as performance.now.
 */
export async function longestStall<T>(
  work: () => Promise<T>,
  clock = threadMs,
): Promise<{ readonly stallMs: number; readonly result: T }> {
  let [stallMs, last, over] = [0, clock(), false];
  const look = (): void => {
    const now = clock();
    stallMs = Math.max(stallMs, now - last);
    last = now;
  };
  const looking = (async () => {
    while (!over) {
      await turn();
      look();
    }
  })();
  try {
    const result = await work();
    look();
    return { result, stallMs };
  } finally {
    over = true;
    await looking;
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
