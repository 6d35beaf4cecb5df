import { hasMembers } from '../accounts/database.ts';
import { groupWords, userWords } from '../accounts/names.ts';
import { isSticky } from './mode.ts';
import { type Entries, isFuse, type Judge, walkPath } from './walk-path.ts';

/**
 * Who except root can certainly change the file at an absolute path, or put another file in its place: `user app (1000)`; or,
 * if the reason is a folder or the target of a link, `group devs (1001), who may write to /srv/app`, `user app (1000), to whom
 * /srv/app belongs`. Undefined if nobody can, or if that is unknown: in a FUSE file system, and for a group that has no member
 * in /etc. The mask of an access control list shows as the group's rights. `entries` can be shared by the calls for many paths.
 * Source: path_resolution(7), inode(7), acl(5).
 */
export function changeableBy(path: string, entries: Entries = new Map()): string | undefined {
  let who: string | undefined;
  const judge: Judge = (at, entry, folder) => {
    const { stat } = entry;
    // A link of another user can be replaced only in a sticky folder, and there the kernel does not follow it (proc_sys_fs(5)).
    if (stat.isSymbolicLink()) return undefined;
    if (stat.dev !== folder.stat.dev && isFuse(entry)) return `${at} is a FUSE file system`;
    if (stat.uid !== 0) who = `${userWords(stat.uid)}${at === path ? '' : `, to whom ${at} belongs`}`;
    else if (!isSticky(stat) || !stat.isDirectory()) {
      const writer = writerBesideOwner(stat);
      if (writer !== undefined) who = `${writer}${at === path ? '' : `, who may write to ${at}`}`;
    }
    return who;
  };
  walkPath(path, { judge, entries });
  return who;
}

function writerBesideOwner({ mode, gid }: { readonly mode: number; readonly gid: number }): string | undefined {
  if ((mode & 0o002) !== 0) return 'everybody';
  return (mode & 0o020) !== 0 && gid !== 0 && hasMembers(gid) ? groupWords(gid) : undefined;
}
