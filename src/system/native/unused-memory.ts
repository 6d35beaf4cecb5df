// Memory that the C library keeps although nobody uses it.
import { loadLibc } from './libc.ts';

/**
 * Returns to the kernel what the C library keeps of freed memory; takes about a millisecond. After a start that is 1 to 2 MB,
 * which V8's compiler and SQLite used once. Does nothing if the C library cannot be called or is not glibc. Source:
 * malloc_trim(3).
 */
export function returnUnusedMemory(): void {
  loadLibc()?.malloc_trim?.(0);
}
