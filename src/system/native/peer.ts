import type { Socket } from 'node:net';
import { loadLibc } from './libc.ts';
import { SOL_SOCKET } from './socket-address.ts';

/** The process at the other end of a connection to a Unix socket, as it was when it connected or began to listen. */
export interface Peer {
  /**
   * 0 if it cannot be seen from here (another pid namespace). By now it may have ended, and its number may belong to another
   * process.
   */
  readonly pid: number;
  /** Its effective uid and gid. */
  readonly uid: number;
  readonly gid: number;
}

/**
 * The process at the other end, according to the kernel; undefined if the kernel does not say. Source: SO_PEERCRED, unix(7).
 */
export function peerOf(connection: Socket): Peer | undefined {
  // Node offers no public way to get the descriptor.
  const fd = (connection as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd;
  const libc = loadLibc();
  if (libc === undefined || fd === undefined || fd < 0) return undefined;
  const credentials = Buffer.alloc(UCRED_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(UCRED_BYTES);
  const result = libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length);
  if (result !== 0 || length.readUInt32LE() !== UCRED_BYTES) return undefined;
  const uid = credentials.readUInt32LE(4);
  // The kernel reports no user if it is not a Unix socket.
  if (uid === NO_UID) return undefined;
  return { pid: Math.max(0, credentials.readInt32LE(0)), uid, gid: credentials.readUInt32LE(8) };
}

/** The effective uid of the process at the other end; undefined if the kernel does not say. */
export function peerUid(connection: Socket): number | undefined {
  return peerOf(connection)?.uid;
}

/** struct ucred: pid, uid, gid. */
const UCRED_BYTES = 12;
const SO_PEERCRED = 17;
/** (uid_t) -1. */
const NO_UID = 2 ** 32 - 1;
