import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { quoted } from '../../core/text/printable.ts';
import { whyUnreadable } from './read-named-file.ts';

/**
 * The bytes of the file that `key` names, read now; or why it cannot be read, in one line. At most 1 MiB; larger files, fifos and devices
 * are refused. Never throws.
 */
export function readFileNow(
  key: string,
  path: string,
): { readonly kind: 'read'; readonly bytes: Buffer } | { readonly kind: 'unreadable'; readonly reason: string } {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK a fifo would block here before we could see that it is one.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error('it is not a regular file');
    if (stat.size > MOST_BYTES) throw new Error('it is larger than 1 MiB');
    // It may grow meanwhile.
    const bytes = Buffer.alloc(Math.min(stat.size, MOST_BYTES));
    let length = 0;
    for (let got = 1; got > 0 && length < bytes.length; length += got)
      got = readSync(fd, bytes, length, bytes.length - length, null);
    return { kind: 'read', bytes: bytes.subarray(0, length) };
  } catch (error) {
    return { kind: 'unreadable', reason: `${key} ${quoted(path)} cannot be read: ${whyUnreadable(error)}` };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const MOST_BYTES = 1024 * 1024;
