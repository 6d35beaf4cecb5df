import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What one look at all processes took. */
export interface Look {
  readonly wallMs: number;
  /** CPU time of the program that looked, the kernel's work for it included. */
  readonly cpuMs: number;
  /** How many processes it saw. */
  readonly count: number;
}

/** psutil in a Python that is kept, so that neither its start nor the import is measured. */
export interface PsutilLooks {
  /** Everything that psutil tells of each process, `as_dict()`. */
  look(): Promise<Look>;
  close(): Promise<void>;
}

/** `python` has psutil. Its first looks, which fill psutil's own caches, are over when this comes back. */
export async function openPsutil(python: string): Promise<PsutilLooks> {
  const child = spawn(python, ['-c', LOOKS], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const look = async (): Promise<Look> => {
    child.stdin.write('\n');
    const [wallMs = Number.NaN, cpuMs = Number.NaN, count = 0] = String((await lines.next()).value)
      .split(' ')
      .map(Number);
    return { wallMs, cpuMs, count };
  };
  for (let warm = 0; warm < WARM_UPS; warm += 1) await look();
  return {
    look,
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** As many as our own table gets. */
export const WARM_UPS = 3;

/** Denied fields are as_dict's own business; a process that ended meanwhile is not seen. */
const LOOKS = `
import psutil, sys, time
for _ in sys.stdin:
    wall, cpu, count = time.perf_counter(), time.process_time(), 0
    for process in psutil.process_iter():
        try: process.as_dict()
        except psutil.NoSuchProcess: continue
        count += 1
    print((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000, count, flush=True)
`;
