import type { Socket } from 'node:net';

/** What a connection said first. */
export type FirstLine =
  /** Without its end (LF, CR LF, or that of what the other side sends). What came behind it can still be read. */
  | { readonly kind: 'line'; readonly line: Buffer }
  /** `limit` bytes, and no end of a line. */
  | { readonly kind: 'too_long' }
  /** `signal` aborted. */
  | { readonly kind: 'too_late' }
  /** It hung up, or will send nothing. */
  | { readonly kind: 'gone' };

/** Reads one line of at most `limit` bytes; then the connection is paused. Never rejects. */
export function readFirstLine(socket: Socket, limit: number, signal: AbortSignal): Promise<FirstLine> {
  return new Promise((resolve) => {
    let head = Buffer.alloc(0);
    const end = (outcome: FirstLine): void => {
      socket.off('data', onData).off('close', onGone).off('end', onEnd);
      signal.removeEventListener('abort', onLate);
      socket.pause();
      resolve(outcome);
    };
    const onGone = (): void => end({ kind: 'gone' });
    const onLate = (): void => end({ kind: 'too_late' });
    const onData = (bytes: Buffer): void => {
      head = Buffer.concat([head, bytes]);
      const lineFeed = head.indexOf('\n');
      const length = lineFeed > 0 && head[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
      // A carriage return may be the first half of the line's end.
      if (length > limit || (lineFeed < 0 && head.length > limit + 1)) {
        end({ kind: 'too_long' });
      } else if (lineFeed >= 0) {
        end({ kind: 'line', line: head.subarray(0, length) });
        if (lineFeed + 1 < head.length) socket.unshift(head.subarray(lineFeed + 1));
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
