import { existsSync, statSync } from 'node:fs';

/**
 * The place where `path`, an absolute one, can be looked at as the programs of this machine see it: in our own mount namespace
 * /home, /root and /tmp may be others, or empty (ProtectHome=, PrivateTmp=). `path` itself where it is there, or nowhere.
 * Source: proc(5), /proc/PID/root.
 */
export function hostPath(path: string): string {
  const elsewhere = `/proc/1/root${path}`;
  return existsSync(path) || !existsSync(elsewhere) ? path : elsewhere;
}

/** True for a regular file, or a link to one, as the programs of this machine see it. Throws where it may not be looked at. */
export function isHostFile(path: string): boolean {
  return statSync(hostPath(path), { throwIfNoEntry: false })?.isFile() ?? false;
}
