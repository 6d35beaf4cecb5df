// The descriptors that were open when this process was started.
import { readdirSync } from 'node:fs';
import { loadLibc } from './libc.ts';

/**
 * Keeps the descriptors that are open now, except standard input, output and error, from the programs that we start, some of which run as
 * other users: a terminal or script that starts us may leave files open, and Node takes care of the first few only. Nothing is done if
 * the C library cannot be called. Source: FD_CLOEXEC in fcntl(2).
 */
export function keepInheritedDescriptors(): void {
  const libc = loadLibc();
  // The descriptor of the folder itself is closed by now, which does no harm.
  for (const name of readdirSync('/proc/self/fd')) if (Number(name) > 2) libc?.fcntl(Number(name), F_SETFD, FD_CLOEXEC);
}

const F_SETFD = 2;
const FD_CLOEXEC = 1;
