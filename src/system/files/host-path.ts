import { closeSync, existsSync, openSync, readlinkSync, statSync } from 'node:fs';

/**
 * The place where `path`, an absolute one, can be looked at as the programs of this machine see it: in our own mount namespace
 * /home, /root and /tmp may be others, or empty (ProtectHome=, PrivateTmp=). `path` itself where it is there, or nowhere.
 * Source: proc(5), /proc/PID/root.
 */
export function hostPath(path: string): string {
  const elsewhere = `/proc/1/root${path}`;
  return existsSync(path) || !existsSync(elsewhere) ? path : elsewhere;
}

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

/** True for a regular file, or a link to one, as the programs of this machine see it. Throws where it may not be looked at. */
export function isHostFile(path: string): boolean {
  return statSync(hostPath(path), { throwIfNoEntry: false })?.isFile() ?? false;
}
