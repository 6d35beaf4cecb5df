import { statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { isLoopback } from '../../core/text/host-port.ts';
import { quoted } from '../../core/text/printable.ts';
import { userWords } from '../accounts/names.ts';
import { judgeFolder } from '../files/own-folder.ts';
import { judgeSocket } from '../files/socket-place.ts';
import { libcProblem } from '../native/libc.ts';
import { type Peer, peerOf } from '../native/peer.ts';
import { socketOwner } from '../native/socket-owner.ts';
import { ProcessTable } from '../proc/table.ts';

/**
 * Why the process that listens on the Unix socket at `path`, to which `connection` has just been made, is not trusted, in one
 * line: `nc (pid 4711) of user joe (1000) listens there`; undefined if it is trusted, because it belongs to one of serverUsers.
 * If the kernel does not say whose process it is, it is trusted if only root and we can have put the socket there.
 */
export function whyNotBelieved(connection: Socket, path: string): string | undefined {
  const peer = peerOf(connection);
  if (peer !== undefined) return serverUsers(path).has(peer.uid) ? undefined : `${peerWords(peer)} listens there`;
  const uids = new Set([0, process.geteuid?.() ?? 0]);
  const place = judgeSocket(path, { uids, gids: new Set([0]) });
  if (place.kind === 'believed') return undefined;
  return `the owner of the process that listens there is unknown (${libcProblem() ?? 'SO_PEERCRED'})`;
}

/**
 * The users whose processes are trusted behind a Unix socket at `path`: root and we, and the user who owns its folder, if root
 * or that user has made every folder on the path, and nobody else may write to it.
 */
export function serverUsers(path: string): ReadonlySet<number> {
  const uids = new Set([0, process.geteuid?.() ?? 0]);
  const owner = ownerOf(dirname(path));
  if (owner !== undefined && judgeFolder(dirname(path), { owner }).kind === 'own') uids.add(owner);
  return uids;
}

function ownerOf(folder: string): number | undefined {
  try {
    return statSync(folder).uid;
  } catch {
    return undefined;
  }
}

/**
 * Why the server at the other end of a TCP connection must not be given a secret, in one line: it is a program of this machine,
 * and belongs to none of the `believed` users or to an unknown one: any user can listen on a free port. Undefined if it is
 * trusted, or if it runs on another machine, about which nothing is known. Call this once the server has sent something: until
 * a server accepts the connection it has no owner.
 */
export function whyTcpNotBelieved(connection: Socket, believed: ReadonlySet<number>): string | undefined {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = connection;
  // A machine connects to one of its own addresses from that very address.
  if (!isLoopback(remoteAddress) && remoteAddress !== localAddress) return undefined;
  const uid = socketOwner({ address: remoteAddress, port: remotePort }, { address: localAddress, port: localPort });
  if (uid === undefined) return `the owner of the process that listens there is unknown (${libcProblem() ?? 'sock_diag'})`;
  return believed.has(uid) ? undefined : `a process of ${userWords(uid)} listens there`;
}

/**
 * A process for people, as far as it can be seen: `nc (pid 4711) of user joe (1000)`. The name is what the process calls
 * itself.
 */
export function peerWords({ pid, uid }: Pick<Peer, 'pid' | 'uid'>): string {
  const name = pid > 0 ? new ProcessTable().read(pid, ['name'])?.name : undefined;
  if (name === undefined) return `a process of ${userWords(uid)}`;
  return `${quoted(name)} (pid ${pid}) of ${userWords(uid)}`;
}
