import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { judgeFolder } from '../system/files/own-folder.ts';

/**
 * Returns the real path of the log `file`. A symbolic link is followed if it is root's or ours. Throws, in one line, if
 * somebody could mislead a daemon that writes as root: a folder on the path that everyone may write to or that belongs to
 * another user; and if `file` is not a regular file (opening a pipe would block). A folder that a group may write to, as
 * /var/log of Ubuntu, is accepted: what is opened there is compared with what was created. Source: logrotate(8) has the same
 * rules.
 */
export function resolveLogFile(file: string): string {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) {
    if (!isTrusted(stats.uid)) throw new Error(`it is a symbolic link of user ${stats.uid}`);
    const target = realpathSync(file);
    // The link itself may be in a folder where others can create one.
    resolveFolder(file);
    return resolveLogFile(target);
  }
  if (stats !== undefined && !stats.isFile()) throw new Error('it is not a regular file');
  return join(resolveFolder(file), basename(file));
}

function resolveFolder(file: string): string {
  const folder = judgeFolder(dirname(file), { groups: 'let pass' });
  // The code of its error says what is wrong.
  if (folder.kind === 'none') realpathSync(dirname(file));
  if (folder.kind !== 'own') throw new Error(folder.reason);
  return folder.path;
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}
