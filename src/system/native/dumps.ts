import { loadLibc } from './libc.ts';

/**
 * Hides our memory, which contains passwords, from all others, if we are root. From then on the kernel dumps no core of this
 * process, not even into the pipe of a core_pattern, and a process without CAP_SYS_PTRACE, even if it is root in a container or
 * sandbox, may not read /proc/PID/exe, environ, fd and mem. Programs that we start are not affected, and our own look at
 * ourselves (/proc/self) stays possible. As another user nothing is done, because our own files in /proc would become root's.
 * Returns the reason in one line if it fails; undefined if it succeeded or is not needed. Source: PR_SET_DUMPABLE(2const),
 * ptrace(2), proc(5).
 */
export function forbidDumps(): string | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const libc = loadLibc();
  if (libc === undefined) return 'the C library cannot be called';
  return libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) === 0 ? undefined : `prctl: errno ${libc.errno()}`;
}

const PR_SET_DUMPABLE = 4;
