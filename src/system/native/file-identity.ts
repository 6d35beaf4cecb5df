import { statSync } from 'node:fs';
import { loadLibc } from './libc.ts';

/** Which file something is. */
export interface FileIdentity {
  /** Device and inode: of no other file while this one is there. */
  readonly key: string;
  readonly isFile: boolean;
  /** How many names it has; 0 where it was removed. */
  readonly names: number;
}

/**
 * What a path leads to, as far as this machine knows by itself: a file system whose server is a process of somebody's, who may never
 * answer, is not asked about it (AT_STATX_DONT_SYNC). The way there must be one that may be followed: a link of /proc/PID, a plain path
 * (isPlainPath). Undefined where it cannot be told. Source: statx(2).
 */
export function fileIdentity(path: string): FileIdentity | undefined {
  const statx = loadLibc()?.statx;
  if (statx === undefined) return identityByStat(path);
  if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_NLINK | STATX_INO, room) !== 0) return undefined;
  const device = `${room.readUInt32LE(136)}:${room.readUInt32LE(140)}`;
  return {
    key: `${device} ${room.readBigUInt64LE(32)}`,
    isFile: (room.readUInt16LE(28) & S_IFMT) === S_IFREG,
    names: room.readUInt32LE(16),
  };
}

/** With a C library before 2.28, or without koffi. */
function identityByStat(path: string): FileIdentity | undefined {
  try {
    // Inodes of some file systems (overlay) need all 64 bits.
    const stat = statSync(path, { bigint: true });
    return { key: `${stat.dev} ${stat.ino}`, isFile: stat.isFile(), names: Number(stat.nlink) };
  } catch {
    return undefined;
  }
}

/** A struct statx, for one call at a time. */
const room = Buffer.alloc(256);
const AT_FDCWD = -100;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE = 0x1;
const STATX_NLINK = 0x4;
const STATX_INO = 0x100;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
