// The filesystems of a host: how full they are.
import { printable, quoted } from '../../../../core/text/printable.ts';
import { type Mount, readMounts } from '../../../../system/files/mounts.ts';
import { type FileHelpers, helperPath } from '../../../../system/helpers/file-helpers.ts';
import type { Finding } from '../../check.ts';

/** How full a filesystem is, as df(1) shows it. */
interface Usage {
  /** Percent of the space that is not reserved for root. */
  readonly diskPercent: number;
  /** Undefined if it makes inodes as it needs them. */
  readonly inodePercent: number | undefined;
}

/** What a look found about a filesystem; `none`: it has no space of its own, as those of the kernel have. */
type Found =
  | { readonly kind: 'found'; readonly usage: Usage }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Looks at each real filesystem: one state each, so that a full one does not hide another. Not at those in memory, those that cannot be
 * written to, the layers of containers, which are on others, and what users have mounted.
 */
export async function lookAtFilesystems(
  { diskPercent, inodePercent }: { readonly diskPercent: number | undefined; readonly inodePercent: number | undefined },
  helpers: FileHelpers,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Record<string, Finding>> {
  const real = realFilesystems(readMounts());
  const looked = await Promise.all(
    real.slice(0, MOST).map(async ({ place }) => [place, await lookAt(place, helpers, timeoutMs, signal)] as const),
  );
  const parts: Record<string, Finding> = {};
  for (const [place, found] of looked) {
    if (found.kind === 'none') continue;
    const shown = printable(place).slice(0, LONGEST_NAME);
    if (diskPercent !== undefined) parts[`disk_percent:${shown}`] = judge(found, place, 'diskPercent', diskPercent);
    if (inodePercent !== undefined) parts[`inode_percent:${shown}`] = judge(found, place, 'inodePercent', inodePercent);
  }
  if (real.length > MOST) {
    const reason = `only ${MOST} of ${real.length} filesystems are looked at`;
    parts.disk_percent = { kind: 'unknown', reason };
  }
  return parts;
}

/** The mounts to look at, one for each filesystem: the first that can be written to. */
export function realFilesystems(mounts: readonly Mount[]): Mount[] {
  const found = new Map<string, Mount>();
  for (const mount of mounts) {
    if (mount.isReadOnly || mount.isUsersOwn || VIRTUAL.has(mount.type)) continue;
    const known = found.get(mount.device);
    if (known === undefined || mount.place.length < known.place.length) found.set(mount.device, mount);
  }
  return [...found.values()];
}

async function lookAt(place: string, helpers: FileHelpers, timeoutMs: number, signal: AbortSignal): Promise<Found> {
  const argv = ['stat', '--file-system', '--format=%b %f %a %c %d', '--', helperPath(place)] as const;
  const answer = await helpers.run({ argv, path: place, mount: place }, timeoutMs, signal);
  if (answer.kind === 'unknown') return answer;
  const [, ...fields] = /^(\d+) (\d+) (\d+) (\d+) (\d+)\s*$/.exec(answer.output) ?? [];
  if (answer.exitCode !== 0 || fields.length === 0) return { kind: 'unknown', reason: `${quoted(place)} cannot be looked at` };
  const [blocks = 0, free = 0, available = 0, inodes = 0, freeInodes = 0] = fields.map(Number);
  if (blocks === 0) return { kind: 'none' };
  const used = blocks - free;
  const inodePercent = inodes === 0 ? undefined : ((inodes - freeInodes) / inodes) * 100;
  return { kind: 'found', usage: { diskPercent: (used / Math.max(used + available, 1)) * 100, inodePercent } };
}

function judge(found: Exclude<Found, { kind: 'none' }>, place: string, key: keyof Usage, limit: number): Finding {
  if (found.kind === 'unknown') return found;
  const percent = found.usage[key];
  if (percent === undefined || percent <= limit) return { kind: 'ok' };
  const what = key === 'diskPercent' ? 'full' : 'out of inodes';
  return { kind: 'failing', reason: `${quoted(place)} is ${percent.toFixed(1)} % ${what} (expected at most ${limit} %)` };
}

/** Those of the kernel, in memory, or made of others. What has no blocks is left out anyway. */
const VIRTUAL: ReadonlySet<string> = new Set([
  ...['autofs', 'binfmt_misc', 'bpf', 'cgroup', 'cgroup2', 'configfs', 'debugfs', 'devpts', 'devtmpfs', 'efivarfs', 'fusectl'],
  ...['hugetlbfs', 'mqueue', 'nsfs', 'overlay', 'proc', 'pstore', 'ramfs', 'rpc_pipefs', 'securityfs', 'selinuxfs', 'squashfs'],
  ...['sysfs', 'tmpfs', 'tracefs', 'fuse.gvfsd-fuse', 'fuse.lxcfs', 'fuse.portal', 'fuse.snapfuse'],
]);
/** A machine with more is one of another kind. */
const MOST = 100;
const LONGEST_NAME = 200;
