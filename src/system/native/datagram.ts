import { loadLibc } from './libc.ts';
import { AF_UNIX, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM, socketAddress } from './socket-address.ts';

/**
 * A socket that sends datagrams to one Unix address and never blocks: sd_notify(3), /dev/log. `path` is a file's path, or
 * `@NAME` for an abstract address. Nothing is opened before the first `send`; a receiver that went away and came back is
 * found again by itself. Source: unix(7).
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
      // Addressed anew each time instead of connected once: the receiver may be another one by now.
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

/** What `openDatagram` gives. */
export interface DatagramSender {
  /**
   * `sent`: the receiver's queue has it; `full`: the queue has no room, try again later; `gone`: nobody listens there, we may
   * not, the address is longer than 107 bytes, the datagram larger than the kernel takes (200 KiB), or koffi cannot be loaded.
   */
  send(bytes: Buffer): 'sent' | 'full' | 'gone';
  /** Closes the socket; whatever is sent afterwards is `gone`. Idempotent. */
  close(): void;
}
