import { lstatSync, type Stats } from 'node:fs';
import { userWords } from './account-names.ts';
import type { HostEntry } from './host-entry.ts';
import { isOpenToOthers, isSticky, modeWords } from './mode.ts';
import { isFuse, type Judge, walkPath } from './walk-path.ts';

/**
 * Whose a folder is. `own`: nobody but root and we can put anything else in its place, or anything in it; `path` has no links any more.
 * `others`: somebody else can, `reason` names the folder, its owner and its mode in one line. `none`: there is no folder, and why.
 */
export type OwnFolder =
  | { readonly kind: 'own'; readonly path: string; readonly stat: Stats }
  | { readonly kind: 'others'; readonly reason: string }
  | { readonly kind: 'none'; readonly reason: string };

/** What is let pass beside. */
export interface OwnFolderOptions {
  /** Folders that a group may write to, as it may to /var/log of Ubuntu: for files that are known again once they are open. */
  readonly groups?: 'let pass';
  /** A user whose folders are let pass. */
  readonly owner?: number | undefined;
}

/**
 * Judges an absolute path as we see it ourselves: every folder and link that leads to it, from `/` on, has to be root's or our own, and no
 * folder of them writable by anybody else, unless it is sticky: there nobody else moves what is ours. The folder itself must not be
 * writable by others even then. A mask of access control lists shows as the group's rights. Source: path_resolution(7), inode(7), acl(5).
 */
export function judgeFolder(path: string, { groups, owner }: OwnFolderOptions = {}): OwnFolder {
  const owners = [0, process.geteuid?.(), owner];
  const open = groups === 'let pass' ? isOpenToAll : isOpenToOthers;
  let blamed: string | undefined;
  const judge: Judge = (at, entry, folder) => {
    blamed = whyOthers(at, entry, folder, owners, open);
    return blamed;
  };
  const end = walkPath(path, { judge, look: ownEntry });
  if (end.kind === 'others') return { kind: blamed === undefined ? 'none' : 'others', reason: end.reason };
  const { at, stat } = end;
  if (stat === undefined) return { kind: 'none', reason: `${path} is not there` };
  if (!stat.isDirectory()) return { kind: 'none', reason: `${path} is no folder (ENOTDIR)` };
  return open(stat) ? { kind: 'others', reason: openWords(at, stat) } : { kind: 'own', path: at, stat };
}

function whyOthers(
  at: string,
  entry: HostEntry,
  folder: HostEntry,
  owners: readonly (number | undefined)[],
  open: typeof isOpenToOthers,
): string | undefined {
  const { stat } = entry;
  if (!owners.includes(stat.uid)) return `${at} belongs to ${userWords(stat.uid)}, mode ${modeWords(stat)}${EXPECTED}`;
  if (!stat.isDirectory()) return undefined;
  if (open(stat) && !isSticky(stat)) return openWords(at, stat);
  return stat.dev !== folder.stat.dev && isFuse(entry) ? `${at} is a FUSE file system` : undefined;
}

function openWords(at: string, stat: Stats): string {
  return `others may write to ${at}, owner ${userWords(stat.uid)}, mode ${modeWords(stat)}${EXPECTED}`;
}

const EXPECTED = " (expected every folder on the way to be root's or the daemon's own, and writable by nobody else)";

function isOpenToAll({ mode }: { readonly mode: number }): boolean {
  return (mode & 0o002) !== 0;
}

function ownEntry(path: string): HostEntry | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat && { stat, place: path };
}
