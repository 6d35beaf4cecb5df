// Names of the live log and its rotated files.

import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Not `log`: pino-roll continues counting from the highest number that any file in the folder has before this extension. */
export const EXTENSION = 'old';

/**
 * Returns a number for the live log `live` that is higher than all existing ones. First removes a second name that a crash left
 * on the live log.
 */
export function nextNumber(live: string): number {
  const inode = statSync(live, { throwIfNoEntry: false })?.ino;
  for (const { path } of rotatedFiles(live)) {
    if (statSync(path, { throwIfNoEntry: false })?.ino === inode) removeName(path);
  }
  const numbers = readdirSync(dirname(live)).map((name) => Number(/(\d+)\.old$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers) + 1;
}

/**
 * Removes all rotated files except the newest `keep`. Never throws: what cannot be removed now is tried again at the next
 * rotation.
 */
export function removeOldest(live: string, keep: number): void {
  try {
    const files = rotatedFiles(live).sort((a, b) => b.number - a.number);
    for (const { path } of files.slice(keep)) removeName(path);
  } catch {
    // The folder cannot be read: then there will be no rotation either.
  }
}

function rotatedFiles(live: string): { path: string; number: number }[] {
  const prefix = `${basename(live)}.`;
  return readdirSync(dirname(live)).flatMap((name) => {
    const number = name.startsWith(prefix) ? /^(\d+)\.old$/.exec(name.slice(prefix.length))?.[1] : undefined;
    return number === undefined ? [] : [{ path: join(dirname(live), name), number: Number(number) }];
  });
}

/** Creates `path` exclusively: a link that somebody put there is not followed. Returns which file it is. */
export function createEmpty(path: string): FileId {
  const fd = openSync(path, 'wx', 0o600);
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Identifies a file as long as it exists (st_dev, st_ino). */
export interface FileId {
  readonly dev: number;
  readonly ino: number;
}

/** True if both are the same file. */
export function isSameFile(one: FileId, other: FileId): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** Removes a name of a file, if it still exists. Never throws. */
export function removeName(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It has another name by now.
  }
}

/** False if the last line of a file of `size` bytes was cut short. Throws the disk's error. */
export function endsInLine(path: string, size: number): boolean {
  if (size === 0) return true;
  const fd = openSync(path, 'r');
  try {
    const byte = Buffer.alloc(1);
    return readSync(fd, byte, 0, 1, size - 1) === 1 && byte[0] === NEWLINE;
  } finally {
    closeSync(fd);
  }
}

const NEWLINE = 10;
