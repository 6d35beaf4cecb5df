// The owner of a TCP socket on this machine.
import { isIPv6 } from 'node:net';
import { plainAddress } from '../../core/text/host-port.ts';
import { type Libc, loadLibc } from './libc.ts';
import {
  AF_NETLINK,
  NETLINK_ADDRESS_BYTES,
  netlinkAddress,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from './socket-address.ts';

/** One end of a TCP connection: the address in Node's form, `127.0.0.1`, `::1`, `::ffff:127.0.0.1`, with or without `%eth0`. */
interface TcpEnd {
  readonly address: string;
  readonly port: number;
}

/**
 * The uid of the user who created the socket at the `near` end of a connection to `far`, if that socket is on this machine and
 * in our network namespace. Undefined if there is no such socket, if no process has it open any more, or if the kernel does not
 * say (AF_NETLINK is not allowed, or sock_diag was not built). Never waits. Source: sock_diag(7).
 */
export function socketOwner(near: TcpEnd, far: TcpEnd): number | undefined {
  const libc = loadLibc();
  const request = requestOf(near, far);
  if (libc === undefined || request === undefined) return undefined;
  const fd = libc.socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return undefined;
  try {
    return ask(libc, fd, request);
  } finally {
    libc.close(fd);
  }
}

/** The kernel answers within the call that sends the request. */
function ask(libc: Libc, fd: number, request: Buffer): number | undefined {
  if (libc.sendto(fd, request, request.length, 0, netlinkAddress(), NETLINK_ADDRESS_BYTES) < 0) return undefined;
  const answer = Buffer.alloc(512);
  const length = Number(libc.recv(fd, answer, answer.length, 0));
  if (length < UID_AT + 8 || answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY) return undefined;
  // If there is no such connection, the answer may describe the listening socket, which has no remote port.
  if (answer.readUInt32LE(HEADER + 4) !== request.readUInt32LE(REQUEST_IDS)) return undefined;
  // For a socket that its process has closed the kernel reports 0 as the user too.
  return answer.readUInt32LE(UID_AT + 4) === 0 ? undefined : answer.readUInt32LE(UID_AT);
}

/** A struct nlmsghdr and a struct inet_diag_req_v2; undefined if one of the two is not an address. */
function requestOf(near: TcpEnd, far: TcpEnd): Buffer | undefined {
  const [source, target] = [addressBytes(near.address), addressBytes(far.address)];
  if (source === undefined || target === undefined || source.length !== target.length) return undefined;
  const request = Buffer.alloc(HEADER + 56);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  request.writeUInt16LE(NLM_F_REQUEST, 6);
  request.writeUInt8(source.length === 4 ? AF_INET : AF_INET6, HEADER);
  request.writeUInt8(IPPROTO_TCP, HEADER + 1);
  request.writeUInt32LE(ANY_STATE, HEADER + 4);
  request.writeUInt16BE(near.port, REQUEST_IDS);
  request.writeUInt16BE(far.port, REQUEST_IDS + 2);
  source.copy(request, REQUEST_IDS + 4);
  target.copy(request, REQUEST_IDS + 20);
  request.fill(0xff, REQUEST_IDS + 40, REQUEST_IDS + 48);
  return request;
}

/** The four bytes of an IPv4 address, also if it is written as IPv6; the sixteen bytes of another address. */
function addressBytes(text: string): Buffer | undefined {
  const address = plainAddress(text);
  if (!isIPv6(address)) {
    const bytes = address.split('.').map(Number);
    return bytes.length === 4 && bytes.every((byte) => byte >= 0 && byte < 256) ? Buffer.from(bytes) : undefined;
  }
  // The URL's host is the address in one canonical form, without dots.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'));
  const zeros = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: zeros }, () => '0'), ...groups(tail)];
  const bytes = Buffer.alloc(16);
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2);
  return bytes;
}

const AF_INET = 2;
const AF_INET6 = 10;
const NETLINK_SOCK_DIAG = 4;
const IPPROTO_TCP = 6;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const ANY_STATE = 0xffffffff;
const HEADER = 16;
/** struct inet_diag_sockid: two ports, two addresses, interface and cookie. */
const REQUEST_IDS = HEADER + 8;
/** The offset of the uid in struct inet_diag_msg; the inode follows it. */
const UID_AT = HEADER + 4 + 48 + 12;
