import { connect, Socket } from 'node:net';
import { StoreError } from '../../../core/errors.ts';
import { groupId, userId } from '../../../system/accounts/database.ts';
import { userWords } from '../../../system/accounts/names.ts';
import { type Believed, judgeSocket } from '../../../system/files/socket-place.ts';
import { libcProblem } from '../../../system/native/libc.ts';
import { peerUid } from '../../../system/native/peer.ts';

/**
 * A connection to the server's Unix socket, if the server can be believed: as the socket lies, none but root, `mysql`, our own user and
 * `owner` (`socket_owner`) can have put it there, and once connected the kernel says that one of them listens. Else it is destroyed
 * with a StoreError, before a byte of ours is written: between the two looks the path may come to lead elsewhere.
 */
export function connectToServer(path: string, owner: number | undefined): Socket {
  const believed = believedUsers(owner);
  const place = judgeSocket(path, believed);
  if (place.kind === 'others')
    return new Socket().destroy(notBelieved(path, `${place.reason} (expected a place for sockets of ${words(believed)} alone`));
  const socket = connect(path);
  // mysql2 writes nothing before it has read a greeting, and this listener is there before its own.
  socket.once('connect', () => {
    const problem = peerProblem(socket, believed);
    if (problem !== undefined) socket.destroy(notBelieved(path, `${problem} (expected ${words(believed)}`));
  });
  return socket;
}

/** Who may run the server. Source: the packages of Debian, RHEL and MySQL, where it is `mysql`, with a group of that name. */
export function believedUsers(owner: number | undefined, passwd = '/etc/passwd', group = '/etc/group'): Believed {
  const known = (id: number | undefined): number[] => (id === undefined ? [] : [id]);
  return {
    uids: new Set([0, ...known(userId('mysql', passwd)), ...known(process.geteuid?.()), ...known(owner)]),
    gids: new Set([0, ...known(groupId('mysql', group))]),
  };
}

function peerProblem(socket: Socket, { uids }: Believed): string | undefined {
  const uid = peerUid(socket);
  if (uid === undefined) return `whose process listens there cannot be told (${libcProblem() ?? 'SO_PEERCRED'})`;
  return uids.has(uid) ? undefined : `the process that listens there belongs to ${userWords(uid)}`;
}

/** Unreachable, as with a server that is down: whoever sits in its place must not keep us from the next one. */
function notBelieved(path: string, reason: string): StoreError {
  const cure = '; another user that runs the server is named by socket_owner)';
  return new StoreError('unreachable', `mysql unix:${path}: not believed, nothing was sent: ${reason}${cure}`);
}

function words({ uids }: Believed): string {
  return [...uids].map(userWords).join(', ');
}
