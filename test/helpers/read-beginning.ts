import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The first 256 KiB of a file: other tests have processes whose files in /proc are too long for a string. Throws where it cannot
 * be read.
 */
export function readBeginning(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(256 * 1024);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}
