import { statSync } from 'node:fs';
import { errorMessage } from '../core/errors.ts';
import { makeFolder } from '../system/files/make-folder.ts';

/**
 * Makes `dir` (mode 0700) where there is none. Why it cannot be used, in one line, or undefined: what stands in it is started
 * again by us, so nobody else may write there.
 */
export function prepareStateDir(dir: string): string | undefined {
  try {
    makeFolder(dir, 0o700);
    const { uid, mode } = statSync(dir);
    if (uid !== process.geteuid?.() && uid !== 0) return `it belongs to user ${uid}`;
    return (mode & 0o022) !== 0 ? 'others may write to it (chmod 700)' : undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
