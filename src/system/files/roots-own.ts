import type { HostEntry } from './host-entry.ts';
import { isOpenToOthers, isSticky } from './mode.ts';
import { type Entries, isFuse, type Judge, walkPath } from './walk-path.ts';

/**
 * Why somebody but root can say what is executed by that absolute path, in one line (`/home/joe is user 1000's`); undefined where nobody
 * can. It must be a regular file of root's, and every folder and link that leads to it root's too, none of them writable by group or
 * others; of the folders, sticky ones are let pass, in which nobody takes what is root's. A mask of access control lists shows as the
 * group's rights. `entries`: for one judgement of many paths. Source: path_resolution(7), inode(7), acl(5).
 */
export function notRootsFile(path: string, entries: Entries = new Map()): string | undefined {
  const end = walkPath(path, { judge: notRootsAlone, entries });
  if (end.kind === 'others') return end.reason;
  if (end.stat === undefined) return `${path} is not there`;
  return end.stat.isFile() ? undefined : `${path} is no file`;
}

/**
 * The same for a file or folder in which a program may look for more to load; it may be missing where root alone could make it. A
 * folder itself must not be writable by others, sticky or not.
 */
export function notRootsPlace(path: string, entries: Entries = new Map()): string | undefined {
  const end = walkPath(path, { judge: notRootsAlone, entries });
  if (end.kind === 'others') return end.reason;
  return isOpenToOthers(end.stat ?? end.folder) ? `${end.stat === undefined ? end.at : path} is writable by others` : undefined;
}

/**
 * Why somebody but root may have said where that absolute path leads, in one line (`/srv/app is reached by user 1000's link /srv/app`);
 * undefined where every link on the way is root's. Whose the folders are does not count.
 */
export function ledByOthers(path: string): string | undefined {
  const judge: Judge = (at, { stat }, folder) => {
    if (!stat.isSymbolicLink()) return undefined;
    if (stat.uid !== 0) return `${path} is reached by user ${stat.uid}'s link ${at}`;
    return isFuse(folder) ? `${path} is reached by the link ${at} in a FUSE file system` : undefined;
  };
  const end = walkPath(path, { judge });
  return end.kind === 'others' ? end.reason : undefined;
}

function notRootsAlone(at: string, entry: HostEntry, folder: HostEntry): string | undefined {
  const { stat } = entry;
  if (at === '/') return stat.uid !== 0 || isOpenToOthers(stat) ? "/ is not root's alone" : undefined;
  if (stat.uid !== 0) return `${at} is user ${stat.uid}'s`;
  if (stat.isSymbolicLink()) return undefined;
  // Nobody who may not write there has put it there; what is writable itself is not root's alone, but for a sticky folder.
  if (isOpenToOthers(stat) && !(stat.isDirectory() && isSticky(stat))) return `${at} is writable by others`;
  return stat.dev !== folder.stat.dev && isFuse(entry) ? `${at} is a FUSE file system` : undefined;
}
