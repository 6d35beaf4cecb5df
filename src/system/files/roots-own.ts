import type { HostEntry } from './host-entry.ts';
import { isOpenToOthers, isSticky } from './mode.ts';
import { type Entries, isFuse, type Judge, walkPath } from './walk-path.ts';

/**
 * Why somebody other than root can decide what the absolute path executes, in one line (`/home/joe belongs to user 1000`);
 * undefined if nobody can. The path must be a regular file of root, every folder and link that leads to it must be root's
 * too, and none of them may be writable by group or others. Sticky folders are allowed: nobody moves root's files in them. The
 * mask of an access control list shows as the group's rights. `entries` can be shared by the calls for many paths. Source:
 * path_resolution(7), inode(7), acl(5).
 */
export function notRootsFile(path: string, entries: Entries = new Map()): string | undefined {
  const end = walkPath(path, { judge: notRootsAlone, entries });
  if (end.kind === 'others') return end.reason;
  if (end.stat === undefined) return `${path} is not there`;
  return end.stat.isFile() ? undefined : `${path} is not a regular file`;
}

/**
 * The same for a file or folder in which a program may look for more to load; it may be missing if only root could make it. A
 * folder itself must not be writable by others, sticky or not.
 */
export function notRootsPlace(path: string, entries: Entries = new Map()): string | undefined {
  const end = walkPath(path, { judge: notRootsAlone, entries });
  if (end.kind === 'others') return end.reason;
  return isOpenToOthers(end.stat ?? end.folder) ? `${end.stat === undefined ? end.at : path} is writable by others` : undefined;
}

/**
 * Why somebody other than root may have decided where the absolute path leads, in one line (`/srv/app is reached through the
 * link /srv/app of user 1000`); undefined if every link on the path is root's. The owners of the folders do not count.
 */
export function ledByOthers(path: string): string | undefined {
  const judge: Judge = (at, { stat }, folder) => {
    if (!stat.isSymbolicLink()) return undefined;
    if (stat.uid !== 0) return `${path} is reached through the link ${at} of user ${stat.uid}`;
    return isFuse(folder) ? `${path} is reached through the link ${at} in a FUSE file system` : undefined;
  };
  const end = walkPath(path, { judge });
  return end.kind === 'others' ? end.reason : undefined;
}

function notRootsAlone(at: string, entry: HostEntry, folder: HostEntry): string | undefined {
  const { stat } = entry;
  if (at === '/') return stat.uid !== 0 || isOpenToOthers(stat) ? '/ does not belong to root alone' : undefined;
  if (stat.uid !== 0) return `${at} belongs to user ${stat.uid}`;
  if (stat.isSymbolicLink()) return undefined;
  // A file was put there by somebody with write access to its folder; an entry that is itself writable is not root's alone,
  // except a sticky folder.
  if (isOpenToOthers(stat) && !(stat.isDirectory() && isSticky(stat))) return `${at} is writable by others`;
  return stat.dev !== folder.stat.dev && isFuse(entry) ? `${at} is a FUSE file system` : undefined;
}
