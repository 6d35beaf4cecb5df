import { readlinkSync, type Stats, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import { type HostEntry, hostEntry } from './host-entry.ts';
import { isOpenToOthers, isSticky } from './mode.ts';

/**
 * Why somebody but root can say what is executed by that absolute path, in one line (`/home/joe is user 1000's`); undefined where nobody
 * can. It must be a regular file of root's, and every folder and link that leads to it root's too, none of them writable by group or
 * others; of the folders, sticky ones are let pass, in which nobody takes what is root's. A mask of access control lists shows as the
 * group's rights. `entries`: for one judgement of many paths. Source: path_resolution(7), inode(7), acl(5).
 */
export function notRootsFile(path: string, entries: Entries = new Map()): string | undefined {
  const end = walk(path, entries);
  if (end.kind === 'others') return end.reason;
  if (end.stat === undefined) return `${path} is not there`;
  return end.stat.isFile() ? undefined : `${path} is no file`;
}

/**
 * The same for a file or folder in which a program may look for more to load; it may be missing where root alone could make it. A
 * folder itself must not be writable by others, sticky or not.
 */
export function notRootsPlace(path: string, entries: Entries = new Map()): string | undefined {
  const end = walk(path, entries);
  if (end.kind === 'others') return end.reason;
  return isOpenToOthers(end.stat ?? end.folder) ? `${end.stat === undefined ? end.at : path} is writable by others` : undefined;
}

/**
 * Why somebody but root may have said where that absolute path leads, in one line (`/srv/app is reached by user 1000's link /srv/app`);
 * undefined where every link on the way is root's. Whose the folders are does not count.
 */
export function ledByOthers(path: string): string | undefined {
  const end = walk(path, new Map(), (at, { stat }, folder) => {
    if (!stat.isSymbolicLink()) return undefined;
    if (stat.uid !== 0) return `${path} is reached by user ${stat.uid}'s link ${at}`;
    return isFuse(folder) ? `${path} is reached by the link ${at} in a FUSE file system` : undefined;
  });
  return end.kind === 'others' ? end.reason : undefined;
}

/** What was found at each path. */
export type Entries = Map<string, HostEntry | undefined>;

type Walk =
  | { readonly kind: 'others'; readonly reason: string }
  /** `stat`: of what is there; undefined where it is missing below `folder`, which stands `at` that path. */
  | { readonly kind: 'end'; readonly stat: Stats | undefined; readonly folder: Stats; readonly at: string };

/** Why what stands `at` a path, in `folder`, is not followed. */
type Judge = (at: string, entry: HostEntry, folder: HostEntry) => string | undefined;

function walk(path: string, entries: Entries, judge: Judge = notRootsAlone): Walk {
  if (!path.startsWith('/')) return others(`${path} is no full path`);
  try {
    return follow(path.split('/'), entries, judge);
  } catch (error) {
    // What is not known is not root's.
    return others(`${path} cannot be looked at: ${errorMessage(error)}`);
  }
}

function follow(rest: string[], entries: Entries, judge: Judge): Walk {
  const first = entryAt('/', entries);
  if (first === undefined) return others('/ is not there');
  const wrong = judge('/', first, first);
  if (wrong !== undefined) return others(wrong);
  let at = '/';
  let folder = first;
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (!folder.stat.isDirectory()) return others(`${at} is no folder`);
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(at) : join(at, name);
    const found = entryAt(next, entries);
    if (found === undefined) return rest.includes('..') ? others(`${next} is not there`) : missing(folder.stat, at);
    const reason = judge(next, found, folder);
    if (reason !== undefined) return others(reason);
    if (found.stat.isSymbolicLink()) {
      links += 1;
      if (links > MOST_LINKS) return others(`${next} is a link too many`);
      const target = readlinkSync(found.place);
      rest.unshift(...target.split('/'));
      if (!target.startsWith('/')) continue;
      at = '/';
      folder = first;
      continue;
    }
    at = next;
    folder = found;
  }
  return { kind: 'end', stat: folder.stat, folder: folder.stat, at };
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

/** There the owners are its server's word. */
function isFuse({ place }: HostEntry): boolean {
  return statfsSync(place).type === FUSE;
}

function others(reason: string): Walk {
  return { kind: 'others', reason };
}

function missing(folder: Stats, at: string): Walk {
  return { kind: 'end', stat: undefined, folder, at };
}

function entryAt(path: string, entries: Entries): HostEntry | undefined {
  if (!entries.has(path)) entries.set(path, hostEntry(path));
  return entries.get(path);
}

/** As the kernel (MAXSYMLINKS). */
const MOST_LINKS = 40;
/** FUSE_SUPER_MAGIC, statfs(2). */
const FUSE = 0x65735546;
