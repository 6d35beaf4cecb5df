import { closeSync, openSync } from 'node:fs';

/** Kept open for the moment when there are no more to be had; one for the process, whose limit it is. */
let spare: number | undefined;

/**
 * Calls `work`, which opens one descriptor and closes it again, synchronously. Where all descriptors are taken (EMFILE, ENFILE of
 * open(2)) a spare one is given up for it and it is called again: who looks for processes must not take them for gone because
 * somebody leaks. Throws what `work` throws.
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
