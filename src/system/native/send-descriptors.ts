import type { Libc } from './libc.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL, SOL_SOCKET } from './socket-address.ts';

/**
 * Sends `bytes` on a Unix socket and passes copies of `descriptors` with the first of them. Never waits. Returns how many bytes
 * the kernel took; -1 if it failed, with the reason in errno. The structures are those of 64-bit Linux, the only platform that
 * Node supports here. Source: sendmsg(2), cmsg(3), SCM_RIGHTS of unix(7).
 */
export function sendWithDescriptors(libc: Libc, fd: number, bytes: Buffer, descriptors: readonly number[]): number {
  // Not from Buffer's pool: the kernel gets the addresses.
  const data = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(data);
  const control = Buffer.allocUnsafeSlow(align(CMSG_HEADER + 4 * descriptors.length)).fill(0);
  control.writeBigUInt64LE(BigInt(CMSG_HEADER + 4 * descriptors.length), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [index, descriptor] of descriptors.entries()) control.writeInt32LE(descriptor, CMSG_HEADER + 4 * index);
  const vector = Buffer.allocUnsafeSlow(16);
  vector.writeBigUInt64LE(libc.addressOf(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  const header = Buffer.allocUnsafeSlow(MSGHDR).fill(0);
  header.writeBigUInt64LE(libc.addressOf(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(libc.addressOf(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  return libc.sendmsg(fd, header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

function align(length: number): number {
  return Math.ceil(length / 8) * 8;
}

const MSGHDR = 56;
const CMSG_HEADER = 16;
const SCM_RIGHTS = 1;
