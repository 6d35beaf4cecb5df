import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/** Has a child killed when the test is over, and waits for its end then. Resolves when it has ended and its output is read. */
export function endAfter(t: TestContext, child: ChildProcess): Promise<unknown[]> {
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return ended;
}
