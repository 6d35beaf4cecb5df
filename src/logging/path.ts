import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { judgeFolder } from '../system/files/own-folder.ts';

/**
 * The place where the log `file` really is. A symbolic link is followed where it is root's or ours. Throws, in one line, where
 * something could be put in the way of a daemon that writes as root: a folder on its way that everyone may write to or that belongs to
 * another user; and where `file` is no regular file (to open a pipe would block). A folder that a group may write to, as /var/log of
 * Ubuntu, will do: what is opened there is compared with what was made. Source: logrotate(8) has the same rules.
 */
export function resolveLogFile(file: string): string {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) {
    if (!isTrusted(stats.uid)) throw new Error(`it is a symbolic link of user ${stats.uid}`);
    const target = realpathSync(file);
    // The link itself may lie where others can lay one.
    resolveFolder(file);
    return resolveLogFile(target);
  }
  if (stats !== undefined && !stats.isFile()) throw new Error('it is no regular file');
  return join(resolveFolder(file), basename(file));
}

function resolveFolder(file: string): string {
  const folder = judgeFolder(dirname(file), { groups: 'allow' });
  // Which says by its code what is wrong.
  if (folder.kind === 'none') realpathSync(dirname(file));
  if (folder.kind !== 'own') throw new Error(folder.reason);
  return folder.path;
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}
