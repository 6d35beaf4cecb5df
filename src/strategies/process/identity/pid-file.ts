// Reads a program's pid file.
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage } from '../../../core/errors.ts';
import { printable } from '../../../core/text/printable.ts';
import { hostPath } from '../../../system/files/host-path.ts';
import { isOpenToOthers, isSticky } from '../../../system/files/mode.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';

/** What a pid file says. */
type PidFile =
  /** `uid`: the owner of the file. Root's file is valid for any process, another user's only for that user's own processes. */
  | { readonly kind: 'pid'; readonly pid: number; readonly uid: number }
  /** There is no file, or no process has that pid: the program is not running, or writes the file later. */
  | { readonly kind: 'absent'; readonly pid?: number }
  /** Why it is not believed, in one line; `pid`: the pid that it names nevertheless. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly pid?: number };

/**
 * Reads `pid_file`. It must be a regular file that belongs to root or to one of `uids`, is writable by nobody else, and
 * contains one number. It must have been written since the boot, and not before the process of that pid was started (2 s of
 * tolerance): else the pid belongs to another process by now. Never throws.
 */
export function readPidFile(table: ProcessTable, path: string, uids: readonly number[], nowMs: number): PidFile {
  const read = readFile(path);
  if (read === undefined) return { kind: 'absent' };
  if ('problem' in read) return unusable(path, read.problem);
  const { text, mtimeMs, owners } = read;
  if (owners === undefined) return unusable(path, 'users other than the owner of its folder may replace it');
  // The owner of a folder or link on the way may do that too.
  const [uid = 0, ...more] = new Set([...owners, read.uid].filter((owner) => owner !== 0));
  if (more.length > 0) return unusable(path, `its file and folders belong to several users (${[uid, ...more].join(', ')})`);
  if (uid !== 0 && !uids.includes(uid))
    return unusable(path, `it belongs to user ${uid} (set user if the program runs as that user)`);
  if (isOpenToOthers(read)) return unusable(path, 'users other than its owner may write to it');
  const [, number] = /^\s*(\d{1,10})\s*$/.exec(text) ?? [];
  const pid = Number(number);
  if (number === undefined || pid < 1)
    return unusable(path, `expected one number in it, found "${printable(text.slice(0, 20))}"`);
  if (mtimeMs < nowMs - table.uptimeMs() - TOLERANCE_MS) return unusable(path, 'it was written before the machine was booted');
  const named = table.read(pid, ['startTime']);
  if (named === undefined) return { kind: 'absent', pid };
  if (nowMs - table.ageMs(named) > mtimeMs + TOLERANCE_MS)
    return { ...unusable(path, `it is stale: process ${pid} was started after it was written`), pid };
  return { kind: 'pid', pid, uid };
}

const TOLERANCE_MS = 2000;

function unusable(path: string, why: string): PidFile & { readonly kind: 'unusable' } {
  return { kind: 'unusable', reason: `pid_file ${printable(path)} is not used: ${why}` };
}

interface ReadFile {
  readonly text: string;
  readonly uid: number;
  readonly mode: number;
  readonly mtimeMs: number;
  /** Owners of the folders and links that lead to it; undefined if others may change one of those. */
  readonly owners: readonly number[] | undefined;
}

/** Undefined if there is no such file. */
function readFile(path: string): ReadFile | { readonly problem: string } | undefined {
  try {
    // Do not follow a link, which somebody else may have put there; and do not block on a FIFO.
    const fd = openSync(hostPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return { problem: 'it is not a regular file' };
      const bytes = Buffer.alloc(LONGEST);
      const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, LONGEST, 0));
      return { text, uid: stat.uid, mode: stat.mode, mtimeMs: stat.mtimeMs, owners: ownersAbove(path) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return { problem: code === 'ELOOP' ? 'it is a symbolic link' : errorMessage(error) };
  }
}

/** Throws if one of them cannot be examined. */
function ownersAbove(path: string): readonly number[] | undefined {
  const owners: number[] = [];
  const rest = dirname(path).split('/');
  let at = '/';
  for (let name = rest.shift(), left = MOST_STEPS; name !== undefined; name = rest.shift()) {
    if (left-- === 0) throw new Error('too many links lead to it');
    const next = name === '..' ? dirname(at) : join(at, name);
    const place = hostPath(next);
    const stat = lstatSync(place);
    owners.push(stat.uid);
    if (stat.isSymbolicLink()) {
      const target = readlinkSync(place);
      rest.unshift(...target.split('/'));
      if (target.startsWith('/')) at = '/';
      continue;
    }
    if (isOpenToOthers(stat) && !isSticky(stat)) return undefined;
    at = next;
  }
  return owners;
}

/** Folders and links on the way. */
const MOST_STEPS = 1000;

/** A number with the blanks around it. */
const LONGEST = 64;
