// Reads the first line of a connection.

import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';

/** What a connection sent first. */
type FirstLine =
  /** Without its end (LF, CR LF, the end of what the other side sends, or silence). What follows it can still be read. */
  | { readonly kind: 'line'; readonly line: Buffer }
  /** `limit` bytes without the end of a line. */
  | { readonly kind: 'too_long' }
  /** `signal` aborted. */
  | { readonly kind: 'too_late' }
  /** The other side disconnected, or will send nothing. */
  | { readonly kind: 'gone' };

/** How a line is read. */
interface FirstLineOptions {
  /** The most bytes of a line. */
  readonly limit: number;
  /** If the other side has begun a line and sends nothing for this long, the line is complete. */
  readonly quietMs: number;
  readonly clock: Clock;
  /** Limits the time for the whole line. */
  readonly signal: AbortSignal;
}

/** Reads one line; then the connection is paused. Never rejects. */
export function readFirstLine(socket: Socket, { limit, quietMs, clock, signal }: FirstLineOptions): Promise<FirstLine> {
  return new Promise((resolve) => {
    let head = Buffer.alloc(0);
    let waiting = new AbortController();
    const end = (outcome: FirstLine): void => {
      waiting.abort();
      socket.off('data', onData).off('close', onGone).off('end', onEnd);
      signal.removeEventListener('abort', onLate);
      socket.pause();
      resolve(outcome);
    };
    const onGone = (): void => end({ kind: 'gone' });
    const onLate = (): void => end({ kind: 'too_late' });
    const onData = (bytes: Buffer): void => {
      head = Buffer.concat([head, bytes]);
      waiting.abort();
      const lineFeed = head.indexOf('\n');
      const length = lineFeed > 0 && head[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
      // A carriage return may be the first half of the line's end.
      if (length > limit || (lineFeed < 0 && head.length > limit + 1)) {
        end({ kind: 'too_long' });
      } else if (lineFeed >= 0) {
        end({ kind: 'line', line: head.subarray(0, length) });
        if (lineFeed + 1 < head.length) socket.unshift(head.subarray(lineFeed + 1));
      } else {
        waiting = new AbortController();
        const { signal: more } = waiting;
        void clock.sleep(quietMs, more).then(() => {
          if (!more.aborted) onEnd();
        });
      }
    };
    const onEnd = (): void => (head.length === 0 ? onGone() : onData(Buffer.from('\n')));
    socket.on('data', onData).once('close', onGone).once('end', onEnd);
    signal.addEventListener('abort', onLate, { once: true });
    if (signal.aborted) onLate();
    else if (socket.destroyed) onGone();
  });
}

const CARRIAGE_RETURN = 0x0d;
