import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * The place where the log `file` really is. A symbolic link is followed where it is root's or ours. Throws, in one line, where
 * something could be put in the way of a daemon that writes as root: a folder that everyone may write to or that belongs to
 * another user; and where `file` is no regular file (to open a pipe would block). Source: logrotate(8) has the same rules.
 */
export function resolveLogFile(file: string): string {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) {
    if (!isTrusted(stats.uid)) throw new Error(`it is a symbolic link of user ${stats.uid}`);
    return resolveLogFile(realpathSync(file));
  }
  if (stats !== undefined && !stats.isFile()) throw new Error('it is no regular file');
  const folder = realpathSync(dirname(file));
  const { uid, mode } = statSync(folder);
  if (!isTrusted(uid)) throw new Error(`its folder belongs to user ${uid}`);
  if ((mode & 0o002) !== 0) throw new Error('everyone may write to its folder');
  return join(folder, basename(file));
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}
