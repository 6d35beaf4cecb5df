// A descriptor in reserve, for reads that must succeed even if all others are in use.
import { closeSync, openSync } from 'node:fs';

/**
 * Kept open for the moment when no more descriptors are available; one for the whole process, because the limit is the
 * process's.
 */
let spare: number | undefined;

/**
 * Calls `work`, which opens one descriptor and closes it again, synchronously. If all descriptors are in use (EMFILE, ENFILE of
 * open(2)), it closes a spare one and calls `work` again: a look for processes must not report them as ended because something
 * leaks descriptors. Throws what `work` throws.
 */
export function withSpareDescriptor<T>(work: () => T): T {
  spare ??= open();
  try {
    return work();
  } catch (error) {
    if (spare === undefined || !isExhausted(error)) throw error;
    closeSync(spare);
    spare = undefined;
    try {
      return work();
    } finally {
      spare = open();
    }
  }
}

function open(): number | undefined {
  try {
    return openSync('/dev/null', 'r');
  } catch {
    return undefined;
  }
}

function isExhausted(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
