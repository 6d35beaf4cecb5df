import { statSync } from 'node:fs';
import { loadLibc } from './libc.ts';

/** The identity of a file. */
export interface FileIdentity {
  /** Device and inode: no other file has them while this one exists. */
  readonly key: string;
  readonly isFile: boolean;
  /** The number of its names (hard links); 0 if it was removed. */
  readonly names: number;
}

/**
 * The identity of the file that a path leads to, as far as this machine knows it without asking: a file system whose server is
 * a user's process, which may never answer, is not asked for it (AT_STATX_DONT_SYNC). The path must be safe to follow: a link
 * of /proc/PID, or a plain path (isPlainPath). Undefined if the identity is unknown. Source: statx(2).
 */
export function fileIdentity(path: string): FileIdentity | undefined {
  const statx = loadLibc()?.statx;
  if (statx === undefined) return identityByStat(path);
  if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_NLINK | STATX_INO, statxBuffer) !== 0) return undefined;
  const device = `${statxBuffer.readUInt32LE(136)}:${statxBuffer.readUInt32LE(140)}`;
  return {
    key: `${device} ${statxBuffer.readBigUInt64LE(32)}`,
    isFile: (statxBuffer.readUInt16LE(28) & S_IFMT) === S_IFREG,
    names: statxBuffer.readUInt32LE(16),
  };
}

/** The fallback for a C library before 2.28, or without koffi. */
function identityByStat(path: string): FileIdentity | undefined {
  try {
    // Inodes of some file systems (overlay) need all 64 bits.
    const stat = statSync(path, { bigint: true });
    return { key: `${stat.dev} ${stat.ino}`, isFile: stat.isFile(), names: Number(stat.nlink) };
  } catch {
    return undefined;
  }
}

/** A struct statx, shared by all calls: each is done before the next one begins. */
const statxBuffer = Buffer.alloc(256);
const AT_FDCWD = -100;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE = 0x1;
const STATX_NLINK = 0x4;
const STATX_INO = 0x100;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
