import type { Socket } from 'node:net';
import { loadLibc } from './libc.ts';

/**
 * Whose process is at the other end of a connection to a Unix socket, by the kernel's word: its effective uid when it connected, or when
 * it began to listen. Undefined where that cannot be told. Source: SO_PEERCRED, unix(7).
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
  const uid = credentials.readUInt32LE(4);
  // Nobody, where it is no Unix socket. The pid is 0 where the process cannot be seen from here, which takes nothing from the uid.
  return uid === NO_UID ? undefined : uid;
}

/** struct ucred: pid, uid, gid. */
const UCRED_BYTES = 12;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** (uid_t) -1. */
const NO_UID = 2 ** 32 - 1;
