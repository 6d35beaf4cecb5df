// The worker's side: takes pieces of work from the daemon and answers each once.
import type { Readable, Writable } from 'node:stream';
import { errorMessage } from '../../core/errors.ts';
import { type Answer, answerLine } from './answer.ts';
import { BoundedLines } from './lines.ts';
import { LoopWatch } from './loop-watch.ts';
import type { Order, Work } from './work.ts';

/** Does one piece of work within its limits. */
type DoWork = (work: Work, timeoutMs: number, signal: AbortSignal) => Promise<Answer>;

/** Serves until the daemon has closed the connection; then calls `onEnd`. */
export function serve(input: Readable, output: Writable, doWork: DoWork, onEnd: () => void): void {
  const lines = new BoundedLines(LONGEST_ORDER);
  const loop = new LoopWatch();
  const running = new Map<number, AbortController>();
  const take = async (order: Order): Promise<void> => {
    if ('cancel' in order) {
      running.get(order.id)?.abort('cancelled');
      return;
    }
    const { id, work, timeoutMs } = order;
    const given = new AbortController();
    running.set(id, given);
    const [beganMs, heldBeforeMs] = [performance.now(), loop.heldMs()];
    const found = await doWork(work, timeoutMs, given.signal).catch(
      (error: unknown): Answer => ({ kind: 'unknown', reason: `it could not be looked at: ${errorMessage(error)}` }),
    );
    const isOverdue = performance.now() - beganMs >= timeoutMs * OVERDUE_SHARE;
    const wasHeld = loop.heldMs() - heldBeforeMs >= timeoutMs * HELD_SHARE;
    // What came in time may have been seen too late: that is our fault, and says nothing about the other side.
    const answer: Answer =
      found.kind === 'failing' && isOverdue && wasHeld ? { kind: 'unknown', reason: 'the worker was too busy to look' } : found;
    running.delete(id);
    // Nobody waits for it.
    if (!given.signal.aborted) output.write(answerLine(id, answer));
  };
  input.on('data', (bytes: Buffer) => {
    const read = lines.push(bytes);
    if (read === undefined) input.destroy();
    // The daemon is who we trust: what it sends has the shape of its own types.
    for (const line of read ?? []) void take(JSON.parse(line) as Order);
  });
  for (const stream of [input, output]) stream.on('error', () => {}).on('close', onEnd);
}

const OVERDUE_SHARE = 0.9;
const HELD_SHARE = 0.2;

/** The daemon sends no files of more than 1 MiB, of which four may be in one order, escaped. */
const LONGEST_ORDER = 32 * 1024 * 1024;
