// Follows a path and judges every entry on it.
import { readlinkSync, type Stats, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import { type HostEntry, hostEntry } from './host-entry.ts';

/** The entry that was found at each path. */
export type Entries = Map<string, HostEntry | undefined>;

/** Where a path led, or why it was not followed to its end. */
export type Walk =
  | { readonly kind: 'others'; readonly reason: string }
  /** `stat`: the status of what is there; undefined if it is missing in `folder`, which is at the path `at`. */
  | { readonly kind: 'end'; readonly stat: Stats | undefined; readonly folder: Stats; readonly at: string };

/**
 * Why the entry `at` a path, in `folder`, is not followed, in one line; undefined if it is followed. `/` counts as its own
 * folder.
 */
export type Judge = (at: string, entry: HostEntry, folder: HostEntry) => string | undefined;

/** Options of walkPath. */
interface WalkOptions {
  readonly judge: Judge;
  /** The entries that are known already, shared by the calls for many paths. */
  readonly entries?: Entries;
  /** Returns the entry at a path; default: as the programs of this machine see it. */
  readonly look?: (path: string) => HostEntry | undefined;
}

/**
 * Follows an absolute path as the kernel does, and judges every folder and link before it goes through it. Source:
 * path_resolution(7).
 */
export function walkPath(path: string, { judge, entries = new Map(), look = hostEntry }: WalkOptions): Walk {
  if (!path.startsWith('/')) return others(`${path} is not an absolute path`);
  const entryAt = (at: string): HostEntry | undefined => {
    if (!entries.has(at)) entries.set(at, look(at));
    return entries.get(at);
  };
  try {
    return follow(path.split('/'), entryAt, judge);
  } catch (error) {
    // An entry of unknown owner does not count as the expected owner's.
    return others(`${path} cannot be examined: ${errorMessage(error)}`);
  }
}

function follow(rest: string[], entryAt: (path: string) => HostEntry | undefined, judge: Judge): Walk {
  const first = entryAt('/');
  if (first === undefined) return others('/ is not there');
  const wrong = judge('/', first, first);
  if (wrong !== undefined) return others(wrong);
  let at = '/';
  let folder = first;
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (!folder.stat.isDirectory()) return others(`${at} is not a folder`);
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(at) : join(at, name);
    const found = entryAt(next);
    if (found === undefined) return rest.includes('..') ? others(`${next} is not there`) : missing(folder.stat, at);
    const reason = judge(next, found, folder);
    if (reason !== undefined) return others(reason);
    if (found.stat.isSymbolicLink()) {
      links += 1;
      if (links > MAX_LINKS) return others(`${next} is one symbolic link too many`);
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

/** The same limit as the kernel's (MAXSYMLINKS). */
const MAX_LINKS = 40;

/** Whether the entry lies in a FUSE file system, whose server decides which owners it reports. */
export function isFuse({ place }: HostEntry): boolean {
  return statfsSync(place).type === FUSE;
}

/** FUSE_SUPER_MAGIC, statfs(2). */
const FUSE = 0x65735546;

function others(reason: string): Walk {
  return { kind: 'others', reason };
}

function missing(folder: Stats, at: string): Walk {
  return { kind: 'end', stat: undefined, folder, at };
}
