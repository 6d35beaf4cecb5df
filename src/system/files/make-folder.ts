import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it, each of them with `mode` whatever the umask is; one that is there already stays as it is.
 * Throws what mkdir(2) says.
 */
export function makeFolder(path: string, mode: number): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path), mode);
  // One at a time: with `recursive` Node tries for ever where a folder that is there takes no other, as those of /proc.
  // Never open wider, not for a moment; the umask may have taken something away.
  mkdirSync(path, mode);
  chmodSync(path, mode);
}
