import { accessSync, constants, statSync } from 'node:fs';

/** Whether a path leads to a regular file that we may execute (access(2)). */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
