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
 * Why what listens on the Unix socket at `path`, to which `connection` has just been made, is not believed, in one line:
 * `nc (pid 4711) of user joe (1000) listens there`; undefined if it is: it is a process of one of serverUsers. If the kernel does not say
 * whose it is, it is believed if none but root and we can have put the socket there.
 */
export function whyNotBelieved(connection: Socket, path: string): string | undefined {
  const peer = peerOf(connection);
  if (peer !== undefined) return serverUsers(path).has(peer.uid) ? undefined : `${peerWords(peer)} listens there`;
  const uids = new Set([0, process.geteuid?.() ?? 0]);
  const place = judgeSocket(path, { uids, gids: new Set([0]) });
  if (place.kind === 'believed') return undefined;
  return `whose process listens there cannot be told (${libcProblem() ?? 'SO_PEERCRED'})`;
}

/**
 * Whose processes are believed behind a Unix socket at `path`: root's and our own, and those of the user to whom its folder belongs, if
 * root or he has made every folder on the way there, and nobody else may write to it.
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
 * Why the server at the other end of a TCP connection is not to be given a secret, in one line: it is a program of this machine, and of
 * none of the `believed` users, or nobody can tell of whom: any user can listen on a port that is free. Undefined if it is believed, or is
 * another machine's, of which nothing can be told. Ask once it has said something: until it takes the connection nobody has it.
 */
export function whyTcpNotBelieved(connection: Socket, believed: ReadonlySet<number>): string | undefined {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = connection;
  // To one of its own addresses a machine connects from that very address.
  if (!isLoopback(remoteAddress) && remoteAddress !== localAddress) return undefined;
  const uid = socketOwner({ address: remoteAddress, port: remotePort }, { address: localAddress, port: localPort });
  if (uid === undefined) return `whose process listens there cannot be told (${libcProblem() ?? 'sock_diag'})`;
  return believed.has(uid) ? undefined : `a process of ${userWords(uid)} listens there`;
}

/** A process for people, as far as it can be seen: `nc (pid 4711) of user joe (1000)`. Its name is what it calls itself. */
export function peerWords({ pid, uid }: Pick<Peer, 'pid' | 'uid'>): string {
  const name = pid > 0 ? new ProcessTable().read(pid, ['name'])?.name : undefined;
  if (name === undefined) return `a process of ${userWords(uid)}`;
  return `${quoted(name)} (pid ${pid}) of ${userWords(uid)}`;
}
