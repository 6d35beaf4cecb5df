import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { HeldFolder } from './held-folder.ts';
import { judgeFolder, type OwnFolder, type OwnFolderOptions } from './own-folder.ts';

/**
 * Makes a folder, and those above it, each of them with `mode` whatever the umask is; one that is there already stays as it is. Throws
 * what mkdir(2) says, and if it is, or lies, where others could put something else in its place (judgeFolder): then nothing is made.
 */
export function makeFolder(path: string, mode: number, options?: OwnFolderOptions): Extract<OwnFolder, { kind: 'own' }> {
  const before = judgeFolder(path, options);
  if (before.kind === 'own') return before;
  if (before.kind === 'others') throw new Error(before.reason);
  make(path, mode);
  // In a sticky folder somebody else may have been faster.
  const after = judgeFolder(path, options);
  if (after.kind !== 'own') throw new Error(after.reason);
  return after;
}

function make(path: string, mode: number): void {
  if (existsSync(path)) return;
  make(dirname(path), mode);
  // One at a time: with `recursive` Node tries for ever where a folder that is there takes no other, as those of /proc.
  // Never open wider, not for a moment; the umask may have taken something away.
  mkdirSync(path, mode);
  const folder = new HeldFolder(path);
  try {
    if (folder.stat.uid === process.geteuid?.()) chmodSync(folder.self, mode);
  } finally {
    folder.close();
  }
}
