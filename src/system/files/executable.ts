import { accessSync, constants, statSync } from 'node:fs';
import { hostPath } from './host-path.ts';

/** Whether a path leads to a file that this process may execute. Never throws. Source: access(2). */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether a path leads to a file that some user may execute, as the programs of this machine see it. Never throws. */
export function isExecutableForSome(path: string): boolean {
  try {
    const stat = statSync(hostPath(path), { throwIfNoEntry: false });
    return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
