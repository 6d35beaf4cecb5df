import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { HeldFolder } from './held-folder.ts';
import { judgeFolder, type OwnFolder, type OwnFolderOptions } from './own-folder.ts';

/**
 * Makes a folder and its missing parents, each with `mode` whatever the umask is. An existing folder stays as it is. Throws the
 * error of mkdir(2), and an error if others could put something else in the folder's place (judgeFolder): then nothing is made.
 */
export function makeFolder(path: string, mode: number, options?: OwnFolderOptions): Extract<OwnFolder, { kind: 'own' }> {
  const before = judgeFolder(path, options);
  if (before.kind === 'own') return before;
  if (before.kind === 'others') throw new Error(before.reason);
  make(path, mode);
  // In a sticky folder another user may have been faster.
  const after = judgeFolder(path, options);
  if (after.kind !== 'own') throw new Error(after.reason);
  return after;
}

function make(path: string, mode: number): void {
  if (existsSync(path)) return;
  make(dirname(path), mode);
  // One at a time: with `recursive` Node retries forever if an existing folder accepts no subfolder, as in /proc. Never with
  // wider permissions, not for a moment; the umask may have removed some.
  mkdirSync(path, mode);
  const folder = new HeldFolder(path);
  try {
    if (folder.stat.uid === process.geteuid?.()) chmodSync(folder.self, mode);
  } finally {
    folder.close();
  }
}
