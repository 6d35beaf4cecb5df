import { loadLibc } from './libc.ts';
import { AF_UNIX, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM, socketAddress } from './socket-address.ts';

/**
 * A socket that sends datagrams to one Unix address and never blocks: for sd_notify(3) and /dev/log. `path` is the path of a
 * file, or `@NAME` for an abstract address. Nothing is opened before the first `send`; a receiver that was restarted is reached
 * again without a new call. Source: unix(7).
 */
export function openDatagram(path: string): DatagramSender {
  const address = socketAddress(path);
  let socket: number | undefined;
  let closed = false;
  return {
    send: (bytes) => {
      const libc = closed || address === undefined ? undefined : loadLibc();
      if (libc === undefined || address === undefined) return 'gone';
      socket ??= libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (socket < 0) {
        socket = undefined;
        return 'gone';
      }
      // Each datagram carries the address; the socket is not connected: the receiver may be another one by now.
      const sent = libc.sendto(socket, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
      if (sent >= 0) return 'sent';
      return libc.errno() === libc.codes.EAGAIN || libc.errno() === libc.codes.ENOBUFS ? 'full' : 'gone';
    },
    close: () => {
      closed = true;
      if (socket !== undefined) loadLibc()?.close(socket);
      socket = undefined;
    },
  };
}

/** The result of `openDatagram`. */
export interface DatagramSender {
  /**
   * `sent`: the datagram is in the receiver's queue. `full`: the queue has no room, try again later. `gone`: nobody listens
   * there, access is denied, the address is longer than 107 bytes, the datagram is larger than the kernel accepts (200 KiB), or
   * koffi cannot be loaded.
   */
  send(bytes: Buffer): 'sent' | 'full' | 'gone';
  /** Closes the socket; a later `send` returns `gone`. Idempotent. */
  close(): void;
}
