import { closeSync, constants, openSync, readSync } from 'node:fs';

/**
 * Reads the beginning of a system file, at most `limit` bytes, piece by piece, one character per byte; nothing if the file does
 * not exist or cannot be read. Synchronous, not through Node's threads: four hanging calls would keep us from every name. Never
 * throws.
 */
export function* readPieces(path: string, limit: number): Generator<string, void, undefined> {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK a FIFO would hang here.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let left = limit; left > 0; ) {
      const got = readSync(fd, piece, 0, Math.min(left, PIECE_BYTES), null);
      if (got === 0) return;
      left -= got;
      yield piece.toString('latin1', 0, got);
    }
  } catch {
    // The rest counts as missing: the next source that may know the name is asked.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const PIECE_BYTES = 64 * 1024;
