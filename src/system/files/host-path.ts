import { closeSync, existsSync, openSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { isPlainPath } from './plain-path.ts';

/**
 * The path at which `path`, an absolute one, can be read as the programs of this machine see it: in our own mount namespace
 * /home, /root and /tmp may be others, or empty (ProtectHome=, PrivateTmp=). It is `path` itself if that exists, or exists
 * nowhere. It is a path at which nothing exists if `path` must not be followed (isPlainPath): most paths come from foreign
 * processes. Source: proc(5), /proc/PID/root.
 */
export function hostPath(path: string): string {
  if (!isPlainPath(path)) return NOWHERE;
  const elsewhere = `/proc/1/root${path}`;
  return existsSync(path) || !existsSync(elsewhere) ? path : elsewhere;
}

const NOWHERE = '/proc/0';

/**
 * The file that `path` leads to with all links followed, as the programs of this machine see it; `path` itself if that is
 * unknown.
 */
export function linkedFile(path: string): string {
  try {
    // Not by realpath(3): /proc/1/root is a link that cannot be resolved as text.
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

/** O_PATH of open(2), for which Node has no constant: a descriptor that only stands for the file and does not open it. */
export const O_PATH = 0o10000000;

/**
 * The status of what `path`, an absolute one, leads to with symbolic links followed, as the programs of this machine see it.
 * `none`: nothing is or can be there. `unknown`: that cannot be found out (a folder that we may not enter, links in a circle, a
 * path through proc), so no conclusion is possible. Never throws: any string may be passed, and a command line comes from a
 * foreign process. Source: path_resolution(7), stat(2).
 */
export function hostStat(path: string): Stats | 'none' | 'unknown' {
  try {
    const place = hostPath(path);
    return place === NOWHERE ? 'unknown' : (statSync(place, { throwIfNoEntry: false }) ?? 'none');
  } catch (error) {
    return isNoPath(path, (error as NodeJS.ErrnoException).code) ? 'none' : 'unknown';
  }
}

/** Whether a regular file is there; see hostStat. */
export function hostFile(path: string): 'file' | 'none' | 'unknown' {
  const stat = hostStat(path);
  if (typeof stat === 'string') return stat;
  return stat.isFile() ? 'file' : 'none';
}

/** Whether no file can have that name. A path that is only too long for one call may be reachable from within a folder. */
function isNoPath(path: string, code: string | undefined): boolean {
  return path.includes('\0') || (code === 'ENAMETOOLONG' && Buffer.byteLength(path) < PATH_MAX);
}

/** In bytes, including the NUL at its end (limits.h). */
const PATH_MAX = 4096;
