import { closeSync, constants, openSync, readSync } from 'node:fs';

/**
 * The beginning of a file of the system's, at most `limit` bytes, piece by piece, a character a byte; nothing of what is not there or
 * cannot be read. At once and not through Node's threads: four calls that hang would keep us from every name. Never throws.
 */
export function* readPieces(path: string, limit: number): Generator<string, void, undefined> {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK a fifo would hang here.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let left = limit; left > 0; ) {
      const got = readSync(fd, piece, 0, Math.min(left, PIECE_BYTES), null);
      if (got === 0) return;
      left -= got;
      yield piece.toString('latin1', 0, got);
    }
  } catch {
    // It is as if the rest were not there: whoever else knows the name is asked next.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const PIECE_BYTES = 64 * 1024;
