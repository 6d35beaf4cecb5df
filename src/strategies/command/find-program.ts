import { isAbsolute, join } from 'node:path';
import { isExecutable } from '../../system/files/executable.ts';

/**
 * The first executable file of that name in the absolute folders of `path` ($PATH); a full path stands for itself; undefined if
 * none.
 */
export function findProgram(name: string, path: string): string | undefined {
  const candidates = name.startsWith('/')
    ? [name]
    : path
        .split(':')
        .filter(isAbsolute)
        .map((folder) => join(folder, name));
  return candidates.find(isExecutable);
}
