// Looks up files, folders and links.
import { lstatSync, type Stats } from 'node:fs';

/** A file, folder or link at a path. */
export interface HostEntry {
  readonly stat: Stats;
  /** The path at which it can be read. */
  readonly place: string;
}

/**
 * The entry at a path as the programs of this machine see it (hostPath), a link itself and not its target: in our own mount
 * namespace a folder may exist and be empty. Undefined if there is no entry that we can see. Throws if that is unknown.
 */
export function hostEntry(path: string): HostEntry | undefined {
  const here = ownEntry(path);
  if (here !== undefined) return here;
  const place = `/proc/1/root${path}`;
  try {
    return { stat: lstatSync(place), place };
  } catch {
    // A process that may have PID 1 start a program may look there; for others only what they see exists.
    return undefined;
  }
}

/**
 * The entry at a path in our own mount namespace, a link itself and not its target; undefined if there is none. Throws if that
 * is unknown.
 */
export function ownEntry(path: string): HostEntry | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat && { stat, place: path };
}
