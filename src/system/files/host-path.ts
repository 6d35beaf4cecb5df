import { closeSync, existsSync, openSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { isPlainPath } from './plain-path.ts';

/**
 * The place where `path`, an absolute one, can be looked at as the programs of this machine see it: in our own mount namespace
 * /home, /root and /tmp may be others, or empty (ProtectHome=, PrivateTmp=). `path` itself where it is there, or nowhere; where it must
 * not be followed (isPlainPath), for a path is mostly a stranger's word, one at which nothing is. Source: proc(5), /proc/PID/root.
 */
export function hostPath(path: string): string {
  if (!isPlainPath(path)) return NOWHERE;
  const elsewhere = `/proc/1/root${path}`;
  return existsSync(path) || !existsSync(elsewhere) ? path : elsewhere;
}

const NOWHERE = '/proc/0';

/** The file that `path` leads to, all links followed, as the programs of this machine see it; `path` itself where that cannot be told. */
export function linkedFile(path: string): string {
  try {
    // Not by realpath(3): /proc/1/root is a link that cannot be followed as text.
    const fd = openSync(hostPath(path), O_PATH);
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } finally {
      closeSync(fd);
    }
  } catch {
    return path;
  }
}

/** open(2): a descriptor that only stands for the file, which is not opened; Node has no name for it. */
export const O_PATH = 0o10000000;

/**
 * What stands at `path`, an absolute one, symbolic links followed, as the programs of this machine see it: `none` if nothing does or can,
 * `unknown` if that cannot be told (a folder that is closed to us, links in a circle, a way through proc), from which nothing
 * follows. Never throws: any string may be asked for, and a command line is a stranger's. Source: path_resolution(7), stat(2).
 */
export function hostStat(path: string): Stats | 'none' | 'unknown' {
  try {
    const place = hostPath(path);
    return place === NOWHERE ? 'unknown' : (statSync(place, { throwIfNoEntry: false }) ?? 'none');
  } catch (error) {
    return isNoPath(path, (error as NodeJS.ErrnoException).code) ? 'none' : 'unknown';
  }
}

/** Whether a regular file stands there, as hostStat has it. */
export function hostFile(path: string): 'file' | 'none' | 'unknown' {
  const stat = hostStat(path);
  if (typeof stat === 'string') return stat;
  return stat.isFile() ? 'file' : 'none';
}

/** No file can have that name. What is only too long to be asked for at once may be reached from within a folder. */
function isNoPath(path: string, code: string | undefined): boolean {
  return path.includes('\0') || (code === 'ENAMETOOLONG' && Buffer.byteLength(path) < PATH_MAX);
}

/** Bytes, with the NUL at its end (limits.h). */
const PATH_MAX = 4096;
