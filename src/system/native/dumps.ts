import { loadLibc } from './libc.ts';

/**
 * Keeps our memory, in which passwords are, from everybody else, where we are root: from then on the kernel dumps no core of this
 * process, into the pipe of a core_pattern neither, and who lacks CAP_SYS_PTRACE, be it root in a container or sandbox, may not
 * read what is behind /proc/PID/exe, environ, fd, mem. What we start is not touched by it, and what of ourselves we look at
 * (/proc/self) stays readable. As another user nothing is done: our own files of /proc would become root's. Comes to why it
 * cannot be done, in one line; undefined where it was, or is not needed. Source: PR_SET_DUMPABLE(2const), ptrace(2), proc(5).
 */
export function forbidDumps(): string | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const libc = loadLibc();
  if (libc === undefined) return 'the C library cannot be called';
  return libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) === 0 ? undefined : `prctl: errno ${libc.errno()}`;
}

const PR_SET_DUMPABLE = 4;
