import { loadLibc } from './libc.ts';

/**
 * Opens a pipe (pipe2(2), close-on-exec); undefined if the kernel refuses or koffi is missing. Node's own "pipes" to a child
 * are socket pairs, in which `echo >/dev/stderr` fails with ENXIO.
 */
export function openPipe(): { readonly read: number; readonly write: number } | undefined {
  const ends = Buffer.alloc(2 * Int32Array.BYTES_PER_ELEMENT);
  if (loadLibc()?.pipe2(ends, O_CLOEXEC) !== 0) return undefined;
  const [read, write] = new Int32Array(ends.buffer, ends.byteOffset, 2);
  return read === undefined || write === undefined ? undefined : { read, write };
}

const O_CLOEXEC = 0o2000000;
