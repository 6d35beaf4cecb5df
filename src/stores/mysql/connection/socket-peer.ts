// Proves who runs the server behind a Unix socket before anything is sent to it.
import { connect, Socket } from 'node:net';
import { StoreError } from '../../../core/errors.ts';
import { groupId, userId } from '../../../system/accounts/database.ts';
import { userWords } from '../../../system/accounts/names.ts';
import { type Believed, judgeSocket } from '../../../system/files/socket-place.ts';
import { libcProblem } from '../../../system/native/libc.ts';
import { peerUid } from '../../../system/native/peer.ts';

/**
 * A connection to the server's Unix socket, if the server can be trusted: only root, `mysql`, our own user and `owner`
 * (`socket_owner`) can have created the socket at that path, and once connected the kernel confirms that one of them listens.
 * Otherwise the socket is destroyed with a StoreError before we write a byte. Both checks are needed, because the path may lead
 * elsewhere between them.
 */
export function connectToServer(path: string, owner: number | undefined): Socket {
  const trusted = trustedUsers(owner);
  const place = judgeSocket(path, trusted);
  if (place.kind === 'others')
    return new Socket().destroy(
      untrusted(path, `${place.reason} (expected a folder in which only ${words(trusted)} can create a socket`),
    );
  const socket = connect(path);
  // mysql2 writes nothing before it has read a greeting, and this listener is added before its own.
  socket.once('connect', () => {
    const problem = peerProblem(socket, trusted);
    if (problem !== undefined) socket.destroy(untrusted(path, `${problem} (expected ${words(trusted)}`));
  });
  return socket;
}

/**
 * The users that may run the server. Source: the packages of Debian, RHEL and MySQL, in which it is `mysql`, with a group of
 * that name.
 */
export function trustedUsers(owner: number | undefined, passwd = '/etc/passwd', group = '/etc/group'): Believed {
  const known = (id: number | undefined): number[] => (id === undefined ? [] : [id]);
  return {
    uids: new Set([0, ...known(userId('mysql', passwd)), ...known(process.geteuid?.()), ...known(owner)]),
    gids: new Set([0, ...known(groupId('mysql', group))]),
  };
}

function peerProblem(socket: Socket, { uids }: Believed): string | undefined {
  const uid = peerUid(socket);
  if (uid === undefined) return `cannot determine which process listens there (${libcProblem() ?? 'SO_PEERCRED'})`;
  return uids.has(uid) ? undefined : `the process that listens there belongs to ${userWords(uid)}`;
}

/** Unreachable, as with a server that is down: a process that took its place must not keep us from the next host. */
function untrusted(path: string, reason: string): StoreError {
  const cure = '; if another user runs the server, set socket_owner)';
  return new StoreError('unreachable', `mysql unix:${path}: not trusted, nothing was sent: ${reason}${cure}`);
}

function words({ uids }: Believed): string {
  return [...uids].map(userWords).join(', ');
}
