import { lstatSync, readlinkSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { hostEntry } from './host-entry.ts';

/**
 * Whether an absolute path can be followed to its end without leaving this machine's own folders. It must not lead through
 * proc, whose links lead into mounts that a process has made for itself, in which one of its own file systems may never answer.
 * It must not need more steps than a path that is meant to be followed. True also for a path that ends early. Source:
 * path_resolution(7), user_namespaces(7).
 */
export function isPlainPath(path: string): boolean {
  try {
    return follow(path);
  } catch {
    // Whoever follows it gets no further either.
    return true;
  }
}

function follow(path: string): boolean {
  const rest = path.split('/').reverse();
  let at = '/';
  let device = lstatSync('/').dev;
  let links = 0;
  for (let steps = 0; rest.length > 0; steps += 1) {
    const name = rest.pop();
    if (steps > MAX_STEPS) return false;
    if (name === undefined || name === '' || name === '.') continue;
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const next = at === '/' ? `/${name}` : `${at}/${name}`;
    if (next === '/proc') return false;
    const found = hostEntry(next);
    if (found === undefined) return true;
    const { stat, place } = found;
    if (stat.isSymbolicLink()) {
      links += 1;
      if (links > MAX_LINKS) return false;
      const target = readlinkSync(place);
      rest.push(...target.split('/').reverse());
      if (target.startsWith('/')) at = '/';
      continue;
    }
    if (stat.dev !== device && statfsSync(place).type === PROC) return false;
    device = stat.dev;
    at = next;
  }
  return true;
}

/** The kernel follows 40 links, of 4 KiB each. */
const MAX_LINKS = 16;
const MAX_STEPS = 256;
/** PROC_SUPER_MAGIC, statfs(2). */
const PROC = 0x9fa0;
