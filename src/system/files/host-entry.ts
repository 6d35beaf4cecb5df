import { lstatSync, type Stats } from 'node:fs';

/** What stands at a path. */
export interface HostEntry {
  readonly stat: Stats;
  /** Where it can be looked at. */
  readonly place: string;
}

/**
 * As hostPath, of the entry itself, a link included: in our own mount namespace a folder may be there and empty. Undefined where there is
 * none to be seen. Throws where that cannot be told.
 */
export function hostEntry(path: string): HostEntry | undefined {
  const here = ownEntry(path);
  if (here !== undefined) return here;
  const place = `/proc/1/root${path}`;
  try {
    return { stat: lstatSync(place), place };
  } catch {
    // Whoever may have PID 1 start a program may look there; to others there is only what they see.
    return undefined;
  }
}

/** The entry at a path in our own mount namespace, a link included; undefined if there is none. Throws if that cannot be told. */
export function ownEntry(path: string): HostEntry | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat && { stat, place: path };
}
