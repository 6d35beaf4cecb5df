import { readFileSync } from 'node:fs';

/**
 * The user who mounted the FUSE file system on a device (st_dev), and who decides what it reports, including the owners of
 * files: 0 for root's own, which virtiofs always is; undefined if that is unknown. `text`: the mounts. Source:
 * proc_pid_mountinfo(5), fuse(4).
 */
export function fuseOwner(dev: number, text: string = readMounts()): number | undefined {
  const device = `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
  for (const line of text.split('\n')) {
    const [mount = '', source = ''] = line.split(' - ');
    if (mount.split(' ')[2] !== device) continue;
    const [type, , options = ''] = source.split(' ');
    if (type === 'virtiofs') return 0;
    const owner = /(?:^|,)user_id=(\d+)(?:,|$)/.exec(options)?.[1];
    return owner === undefined ? undefined : Number(owner);
  }
  return undefined;
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
