// The processes in a control group.
import { closeSync, openSync, readSync } from 'node:fs';
import { withSpareDescriptor } from '../native/spare-descriptor.ts';

/** The control group of a service in system.slice, which holds all our transient units. */
export function groupOfService(unit: string): string {
  return `/system.slice/${unit}`;
}

/**
 * Returns the pids in a control group of systemd's hierarchy, without the groups below it; [] if there is no such group. Does
 * not ask systemd. Reads the first 64 KiB, some 8,000 pids. Source: cgroups(7).
 */
export function pidsOfGroup(controlGroup: string): number[] {
  for (const top of TOPS) {
    const text = readStart(`${top}${controlGroup}/cgroup.procs`);
    if (text !== undefined)
      return text
        .split('\n')
        .map(Number)
        .filter((pid) => pid > 0);
  }
  return [];
}

/** Where the hierarchy with systemd's units is mounted: alone, or beside others. */
const TOPS: readonly string[] = ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'];
const LIMIT = 64 * 1024;

function readStart(file: string): string | undefined {
  try {
    return withSpareDescriptor(() => {
      const fd = openSync(file, 'r');
      try {
        const bytes = Buffer.allocUnsafe(LIMIT);
        let length = 0;
        for (let got = 1; got > 0 && length < LIMIT; length += got) got = readSync(fd, bytes, length, LIMIT - length, null);
        return bytes.toString('latin1', 0, length);
      } finally {
        closeSync(fd);
      }
    });
  } catch {
    return undefined;
  }
}
