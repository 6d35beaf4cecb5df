// Constants and addresses for sockets.
/** Constants of socket(2), send(2) and recv(2); they are the same on every architecture that Node runs on. */
export const AF_UNIX = 1;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

/** A sockaddr_un; undefined if `path` does not fit. An abstract address is not NUL-terminated: its length counts. */
export function socketAddress(path: string): Buffer | undefined {
  const name = Buffer.from(path);
  if (name.length === 0 || name.length > MAX_SOCKET_PATH || name.includes(0)) return undefined;
  const family = Buffer.from(new Uint16Array([AF_UNIX]).buffer);
  if (name[0] === '@'.charCodeAt(0)) name[0] = 0;
  return Buffer.concat([family, name, name[0] === 0 ? Buffer.alloc(0) : Buffer.alloc(1)]);
}

const MAX_SOCKET_PATH = 107;

/**
 * A struct sockaddr_nl with port 0 (netlink(7)): as our own address it means any port, as the receiver's it means the kernel.
 * `groups` is a bit mask.
 */
export function netlinkAddress(groups = 0): Buffer {
  const address = Buffer.alloc(NETLINK_ADDRESS_BYTES);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  return address;
}

/** The length of a sockaddr_nl. */
export const NETLINK_ADDRESS_BYTES = 12;
