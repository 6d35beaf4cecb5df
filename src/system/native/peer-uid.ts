import type { Socket } from 'node:net';
import { loadLibc } from './libc.ts';

/**
 * Whose process is at the other end of a connection to a Unix socket of ours, by the kernel's word: its effective uid when it connected.
 * Undefined where that cannot be told. Source: SO_PEERCRED, unix(7).
 */
export function peerUid(connection: Socket): number | undefined {
  // Node has no name for it.
  const fd = (connection as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd;
  const libc = loadLibc();
  if (libc === undefined || fd === undefined || fd < 0) return undefined;
  const credentials = Buffer.alloc(UCRED_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(UCRED_BYTES);
  const result = libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length);
  if (result !== 0 || length.readUInt32LE() !== UCRED_BYTES) return undefined;
  // Nobody, where it is no Unix socket.
  return credentials.readInt32LE(0) > 0 ? credentials.readUInt32LE(4) : undefined;
}

/** struct ucred: pid, uid, gid. */
const UCRED_BYTES = 12;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
