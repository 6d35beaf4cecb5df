import { statSync } from 'node:fs';
import { errorMessage } from '../core/errors.ts';
import { makeFolder } from '../system/files/make-folder.ts';
import { isOpenToOthers } from '../system/files/mode.ts';

/**
 * Makes `dir` (mode 0700) where there is none. Why it cannot be used, in one line, or undefined: what stands in it is started
 * again by us, so nobody else may write there.
 */
export function prepareStateDir(dir: string): string | undefined {
  try {
    makeFolder(dir, 0o700);
    const stats = statSync(dir);
    if (stats.uid !== process.geteuid?.() && stats.uid !== 0) return `it belongs to user ${stats.uid}`;
    return isOpenToOthers(stats) ? 'others may write to it (chmod 700)' : undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
