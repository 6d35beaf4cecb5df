// A pair of sockets, one end of which another process gets.
import { Socket } from 'node:net';
import { closeDescriptor, loadLibc } from './libc.ts';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from './socket-address.ts';

/** Two connected sockets: one for us, one for a process that we start. */
interface SocketPair {
  /** Our end. */
  readonly ours: Socket;
  /** The other end, an open descriptor, which is passed on. */
  readonly theirs: number;
  /** Closes our copy of the other end, without which ours would never end. */
  closeTheirs(): void;
}

/** Opens a pair (socketpair(2), close-on-exec); undefined if the kernel refuses or koffi is missing. */
export function openSocketPair(): SocketPair | undefined {
  const ends = Buffer.alloc(2 * Int32Array.BYTES_PER_ELEMENT);
  if (loadLibc()?.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) !== 0) return undefined;
  const [fd, theirs] = new Int32Array(ends.buffer, ends.byteOffset, 2);
  if (fd === undefined || theirs === undefined) return undefined;
  return { ours: new Socket({ fd, readable: true, writable: true }), theirs, closeTheirs: () => closeDescriptor(theirs) };
}
