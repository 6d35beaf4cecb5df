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
  const here = lstatSync(path, { throwIfNoEntry: false });
  if (here !== undefined) return { stat: here, place: path };
  const place = `/proc/1/root${path}`;
  try {
    return { stat: lstatSync(place), place };
  } catch {
    // Whoever may have PID 1 start a program may look there; to others there is only what they see.
    return undefined;
  }
}
