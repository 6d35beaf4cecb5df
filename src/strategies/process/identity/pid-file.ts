import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage } from '../../../core/errors.ts';
import { printable } from '../../../core/text/printable.ts';
import { hostPath } from '../../../system/files/host-path.ts';
import { isOpenToOthers, isSticky } from '../../../system/files/mode.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';

/** What a pid file says. */
type PidFile =
  /** `uid`: whose the file is: root vouches for any process, another user for his own alone. */
  | { readonly kind: 'pid'; readonly pid: number; readonly uid: number }
  /** There is none, or nobody has that number: the program is not running, or writes it later. */
  | { readonly kind: 'absent'; readonly pid?: number }
  /** One line why it is not believed; `pid`: whom it names all the same. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly pid?: number };

/**
 * Reads `pid_file`. It must be a regular file of root's or of one of `uids`, writable by nobody else, with one number in it, written
 * since the machine was booted, and not before the process of that number was started (2 s of tolerance): else it is another's number
 * by now. Never throws.
 */
export function readPidFile(table: ProcessTable, path: string, uids: readonly number[], nowMs: number): PidFile {
  const read = readFile(path);
  if (read === undefined) return { kind: 'absent' };
  if ('problem' in read) return unusable(path, read.problem);
  const { text, mtimeMs, owners } = read;
  if (owners === undefined) return unusable(path, 'others than the owner of its folder may put another file in its place');
  // Whose a folder or a link on the way is may do that too.
  const [uid = 0, ...more] = new Set([...owners, read.uid].filter((owner) => owner !== 0));
  if (more.length > 0) return unusable(path, `its file and folders are those of several users (${[uid, ...more].join(', ')})`);
  if (uid !== 0 && !uids.includes(uid))
    return unusable(path, `it is user ${uid}'s (set user, if that is whose the program is)`);
  if (isOpenToOthers(read)) return unusable(path, 'others than its owner may write to it');
  const [, number] = /^\s*(\d{1,10})\s*$/.exec(text) ?? [];
  const pid = Number(number);
  if (number === undefined || pid < 1)
    return unusable(path, `it does not hold one number alone ("${printable(text.slice(0, 20))}")`);
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
  /** Of the folders and links that lead to it; undefined where others may change one of those. */
  readonly owners: readonly number[] | undefined;
}

/** Undefined where there is no such file. */
function readFile(path: string): ReadFile | { readonly problem: string } | undefined {
  try {
    // Not by a link, which another may have put there; and a FIFO must not keep us.
    const fd = openSync(hostPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return { problem: 'it is no regular file' };
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

/** Throws where one of them cannot be looked at. */
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

/** A number, and what blanks are around it. */
const LONGEST = 64;
