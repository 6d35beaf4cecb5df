import { readdirSync, readlinkSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { waitFor } from '../wait-for.ts';

/**
 * Makes something for a test; after the test `close` is called, and the test fails where soon after it a socket, a pipe, a script or a
 * timer is left that was not there before.
 */
export function leavesNothing<T>(t: TestContext, close: () => void, make: () => T): T {
  // Where the loop has nothing to wait for the runner of the tests would set a timer of its own.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const before = openThings();
  t.after(async () => {
    close();
    const isMore = (): boolean => Object.entries(openThings()).some(([what, count]) => count > (before[what] ?? 0));
    try {
      await waitFor('nothing of the test to be left', () => !isMore(), 10_000);
    } catch (error) {
      throw new Error(`before: ${JSON.stringify(before)}, now: ${JSON.stringify(openThings())}`, { cause: error });
    } finally {
      clearInterval(keepAlive);
    }
  });
  return make();
}

/** Sockets, pipes and scripts that this process has open, and timers that it waits for. */
function openThings(): Record<string, number> {
  const counts: Record<string, number> = {};
  const add = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  for (const fd of readdirSync('/proc/self/fd')) {
    let target = '';
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // That of the listing itself.
    }
    const [, kind] = /^(socket|pipe):/.exec(target) ?? [];
    if (kind !== undefined) add(kind);
    else if (target.startsWith('/memfd:script')) add('script');
  }
  for (const resource of process.getActiveResourcesInfo()) if (resource === 'Timeout') add('timer');
  return counts;
}
