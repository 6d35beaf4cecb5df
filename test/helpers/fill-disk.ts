import { closeSync, openSync, writeSync } from 'node:fs';

/** Fills the file system that `path` is on, to the last byte, with the file `path`. */
export function fillDisk(path: string): void {
  const fd = openSync(path, 'w');
  let block = Buffer.alloc(4096);
  try {
    while (block.length > 0) {
      try {
        writeSync(fd, block);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        block = block.subarray(0, block.length >> 1);
      }
    }
  } finally {
    closeSync(fd);
  }
}
