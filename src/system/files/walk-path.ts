import { readlinkSync, type Stats, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import { type HostEntry, hostEntry } from './host-entry.ts';

/** What was found at each path. */
export type Entries = Map<string, HostEntry | undefined>;

/** Where a way led, or why it was not followed to its end. */
export type Walk =
  | { readonly kind: 'others'; readonly reason: string }
  /** `stat`: of what is there; undefined where it is missing below `folder`, which stands `at` that path. */
  | { readonly kind: 'end'; readonly stat: Stats | undefined; readonly folder: Stats; readonly at: string };

/** Why what stands `at` a path, in `folder`, is not followed, in one line; undefined where it is. `/` stands in itself. */
export type Judge = (at: string, entry: HostEntry, folder: HostEntry) => string | undefined;

/** What a walk is made with. */
interface WalkOptions {
  readonly judge: Judge;
  /** For one judgement of many paths. */
  readonly entries?: Entries;
  /** What stands at a path; default: as the programs of this machine see it. */
  readonly look?: (path: string) => HostEntry | undefined;
}

/**
 * Follows an absolute path as the kernel does, every folder and link of it judged before it is gone through. Source:
 * path_resolution(7).
 */
export function walkPath(path: string, { judge, entries = new Map(), look = hostEntry }: WalkOptions): Walk {
  if (!path.startsWith('/')) return others(`${path} is no full path`);
  const entryAt = (at: string): HostEntry | undefined => {
    if (!entries.has(at)) entries.set(at, look(at));
    return entries.get(at);
  };
  try {
    return follow(path.split('/'), entryAt, judge);
  } catch (error) {
    // What is not known is not theirs whose it should be.
    return others(`${path} cannot be looked at: ${errorMessage(error)}`);
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
    if (!folder.stat.isDirectory()) return others(`${at} is no folder`);
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(at) : join(at, name);
    const found = entryAt(next);
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

/** As the kernel (MAXSYMLINKS). */
const MOST_LINKS = 40;

/** Whether a file system's owners are its server's word. */
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
