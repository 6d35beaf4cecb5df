import { errorMessage } from '../core/errors.ts';
import { makeFolder } from '../system/files/make-folder.ts';

/**
 * Makes `dir` (mode 0700) where there is none. Why it cannot be used, in one line, or undefined: what stands in it is started
 * again by us, so nobody else may write there, or put another in its place.
 */
export function prepareStateDir(dir: string): string | undefined {
  try {
    makeFolder(dir, 0o700);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
