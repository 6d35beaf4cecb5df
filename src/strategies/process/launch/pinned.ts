// Checks whether a pin still holds.
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
      /** Files that have changed since they were pinned, and that only root controls; for the log. */
      readonly changed: readonly string[];
    }
  /** The reason, in one line. */
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * What is pinned of a launch: its record, and the hash of each file that it executes; or why that cannot be read, in one line.
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

/** How to get a file's hash. */
export type TakeHash = (path: string) => Promise<FileHash>;

/**
 * Checks each pinned file: a file with the pinned hash may be executed wherever it is; a changed one, as after an upgrade, only
 * if only root controls it and its folders. Never rejects.
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
