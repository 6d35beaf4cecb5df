import type { LaunchRecord } from '../../../core/program/launch-record.ts';
import type { Pin, PinnedFile, PinnedLaunch } from '../../../core/program/pin.ts';
import { type FileHash, hashFile } from '../../../system/files/file-hash.ts';
import { notRootsFile } from '../../../system/files/roots-own.ts';
import { executedFiles } from '../../../system/launch/executed-files.ts';

/** Whether a pin holds now. */
export type PinCheck =
  | {
      readonly kind: 'holds';
      readonly records: readonly LaunchRecord[];
      /** Files that are others than when it was pinned, and root's alone; for the log. */
      readonly changed: readonly string[];
    }
  /** In one line. */
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * What is pinned of a launch: its record, and the hash of each file that it executes; or in one line why that cannot be had.
 * Never rejects.
 */
export async function pinnedLaunch(
  record: LaunchRecord,
): Promise<{ readonly kind: 'launch'; readonly launch: PinnedLaunch } | { readonly kind: 'failed'; readonly reason: string }> {
  const files: PinnedFile[] = [];
  for (const path of executedFiles(record).files) {
    const hash = await hashFile(path);
    if (hash.kind === 'failed') return { kind: 'failed', reason: `what it executes cannot be read: ${hash.reason}` };
    files.push({ path, sha256: hash.sha256 });
  }
  return { kind: 'launch', launch: { record, files } };
}

/** How a file's hash is come by. */
export type TakeHash = (path: string) => Promise<FileHash>;

/**
 * Looks at each pinned file: one with its hash may be executed wherever it lies; another one, as after an upgrade, only where it and its
 * folders are root's alone. Never rejects.
 */
export async function checkPin({ launches }: Pin, take: TakeHash = hashFile): Promise<PinCheck> {
  const changed = new Set<string>();
  for (const { path, sha256 } of launches.flatMap(({ files }) => files)) {
    const hash = await take(path);
    if (hash.kind === 'hashed' && hash.sha256 === sha256) continue;
    if (hash.kind === 'failed') return { kind: 'refused', reason: `what was pinned cannot be read: ${hash.reason}` };
    const others = notRootsFile(path);
    if (others !== undefined) {
      const reason = `${path} has changed since it was pinned, and is not root's alone (${others})`;
      return { kind: 'refused', reason };
    }
    changed.add(path);
  }
  return { kind: 'holds', records: launches.map(({ record }) => record), changed: [...changed] };
}
