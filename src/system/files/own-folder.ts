import type { Stats } from 'node:fs';
import { userWords } from '../accounts/names.ts';
import { fuseOwner } from './fuse-owner.ts';
import { type HostEntry, ownEntry } from './host-entry.ts';
import { isOpenToOthers, isSticky, modeWords } from './mode.ts';
import { isFuse, type Judge, type Walk, walkPath } from './walk-path.ts';

/**
 * Who controls a folder. `own`: only root and we can put anything in its place or into it; `path` contains no links any more.
 * `others`: somebody else can; `reason` names the folder, its owner and its mode in one line. `none`: there is no folder;
 * `reason` says why.
 */
export type OwnFolder =
  | { readonly kind: 'own'; readonly path: string; readonly stat: Stats }
  | { readonly kind: 'others'; readonly reason: string }
  | { readonly kind: 'none'; readonly reason: string };

/** Exceptions to the rules of judgeFolder. */
export interface OwnFolderOptions {
  /**
   * Allows folders that a group may write to, such as /var/log on Ubuntu: for files that are checked again once they are open.
   */
  readonly groups?: 'allow';
  /** Allows the folder itself to be sticky: for files that nobody takes for ours only because of their place. */
  readonly sticky?: 'allow';
  /** A user who may own the folders. */
  readonly owner?: number | undefined;
}

/**
 * Judges an absolute path as we see it ourselves: every folder and link that leads to it, from `/` on, has to belong to root or
 * to us, and no folder may be writable by others, unless it is sticky: there nobody else moves what is ours. The folder itself
 * must not be writable by others even then, unless `sticky` allows it. The mask of an access control list shows as the group's
 * rights. Source: path_resolution(7), inode(7), acl(5).
 */
export function judgeFolder(path: string, options: OwnFolderOptions = {}): OwnFolder {
  const { end, blamed } = walkOwn(path, options);
  if (end.kind === 'others') return { kind: blamed ? 'others' : 'none', reason: end.reason };
  const { at, stat } = end;
  if (stat === undefined) return { kind: 'none', reason: `${path} is not there` };
  if (!stat.isDirectory()) return { kind: 'none', reason: `${path} is not a folder (ENOTDIR)` };
  const isAllowed = options.sticky === 'allow' && isSticky(stat);
  return isOpen(stat, options) && !isAllowed
    ? { kind: 'others', reason: openWords(at, stat) }
    : { kind: 'own', path: at, stat };
}

/**
 * Why somebody else can replace the file at an absolute path, in one line, by the rules of judgeFolder; undefined if nobody
 * can, or if that is unknown.
 */
export function whyOthersReach(path: string, options: OwnFolderOptions = {}): string | undefined {
  const { end, blamed } = walkOwn(path, options);
  return end.kind === 'others' && blamed ? end.reason : undefined;
}

function walkOwn(path: string, options: OwnFolderOptions): { readonly end: Walk; readonly blamed: boolean } {
  let blamed = false;
  const judge: Judge = (at, entry, folder) => {
    const reason = whyOthers(at, entry, folder, options);
    blamed = reason !== undefined;
    return reason;
  };
  const end = walkPath(path, { judge, look: ownEntry });
  return { end, blamed };
}

function whyOthers(at: string, entry: HostEntry, folder: HostEntry, options: OwnFolderOptions): string | undefined {
  const { stat } = entry;
  if (![0, process.geteuid?.(), options.owner].includes(stat.uid))
    return `${at} belongs to ${userWords(stat.uid)}, mode ${modeWords(stat)}${EXPECTED}`;
  if (!stat.isDirectory()) return undefined;
  if (isOpen(stat, options) && !isSticky(stat)) return openWords(at, stat);
  if (stat.dev === folder.stat.dev || !isFuse(entry)) return undefined;
  const mounter = fuseOwner(stat.dev);
  if (mounter === 0 || mounter === process.geteuid?.()) return undefined;
  return `${at} is a FUSE file system${mounter === undefined ? '' : ` of ${userWords(mounter)}`}`;
}

function isOpen(stat: Stats, { groups }: OwnFolderOptions): boolean {
  return groups === 'allow' ? (stat.mode & 0o002) !== 0 : isOpenToOthers(stat);
}

function openWords(at: string, stat: Stats): string {
  return `others may write to ${at}, owner ${userWords(stat.uid)}, mode ${modeWords(stat)}${EXPECTED}`;
}

const EXPECTED =
  " (expected every folder of the path to belong to root or the daemon's user, and to be writable by nobody else)";
