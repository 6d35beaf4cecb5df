// The mounted filesystems of this machine.
import { readFileSync } from 'node:fs';

/** A mounted filesystem, as the programs of this machine see it. */
export interface Mount {
  /** Where it is mounted. */
  readonly place: string;
  /** `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string;
  /** `MAJOR:MINOR`, the same for all mounts of one filesystem. */
  readonly device: string;
  readonly isReadOnly: boolean;
  /** Made by a user without rights (FUSE): what it says, or whether it answers, is that user's to choose. */
  readonly isUsersOwn: boolean;
}

/**
 * All mounts of the machine, in the order in which they were made; of those mounted over each other at one place, the last, which is the
 * visible one. Reads no filesystem but /proc. Throws if that cannot be read. Source: proc(5), mountinfo.
 */
export function readMounts(): Mount[] {
  return parseMounts(mountTable());
}

/** Parses the lines of mountinfo; those that have another form are left out. */
export function parseMounts(table: string): Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of table.split('\n')) {
    // ID PARENT DEVICE ROOT PLACE OPTIONS [TAGS] - TYPE SOURCE SUPER-OPTIONS; blanks in names are escaped.
    const [mount = '', system = ''] = line.split(' - ', 2);
    const [, , device, , place, options = ''] = mount.split(' ');
    const [type, , superOptions = ''] = system.split(' ');
    if (device === undefined || place === undefined || type === undefined || type === '') continue;
    const isReadOnly = [options, superOptions].some((list) => list.split(',').includes('ro'));
    const [, owner = '0'] = /(?:^|,)user_id=(\d+)/.exec(superOptions) ?? [];
    const path = unescaped(place);
    mounts.delete(path);
    mounts.set(path, { place: path, type, device, isReadOnly, isUsersOwn: type.startsWith('fuse') && owner !== '0' });
  }
  return [...mounts.values()];
}

/** The mount that the absolute `path` is in, by its text alone; `/` if none is known. */
export function mountOf(path: string, mounts: readonly Mount[]): string {
  let found = '/';
  for (const { place } of mounts)
    if (place.length > found.length && (path === place || path.startsWith(`${place}/`))) found = place;
  return found;
}

function mountTable(): string {
  try {
    // Ours may lack what the unit hides from us (ProtectHome=).
    return readFileSync('/proc/1/mountinfo', 'utf8');
  } catch {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  }
}

/** `\040` stands for a blank; likewise tabs, line breaks and backslashes. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
