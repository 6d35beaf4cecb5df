import type { Socket } from 'node:net';
import { isLoopback } from '../../core/host-port.ts';
import { userWords } from '../accounts/names.ts';
import { libcProblem } from '../native/libc.ts';
import { socketOwner } from '../native/socket-owner.ts';

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
