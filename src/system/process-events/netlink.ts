import type { ProcessEventType } from '../../core/process/event.ts';
import { type DescriptorWatch, errnoName, type Libc, libcProblem, loadLibc } from '../native/libc.ts';
import {
  AF_NETLINK,
  NETLINK_ADDRESS_BYTES,
  netlinkAddress,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from '../native/socket-address.ts';
import { eventBits, ProcRecord, parseProcEvents } from './message.ts';

/**
 * Opens a netlink socket that receives the messages of the proc connector. The kernel sends nothing before `request` is called.
 * `failed`: the call that the kernel refused, and the name of the errno. Source: netlink(7),
 * Documentation/driver-api/connector.rst.
 */
export function openConnectorSocket(): OpenedConnector {
  const libc = loadLibc();
  if (libc === undefined) return { kind: 'failed', call: 'load', code: libcProblem() ?? '' };
  const fd = libc.socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_CONNECTOR);
  if (fd < 0) return { kind: 'failed', call: 'socket', code: errnoName(libc) };
  // Before anything arrives: an event takes 832 bytes of it, and the usual 208 KiB are full after 255.
  const size = number32(RECEIVE_BUFFER);
  // Without CAP_NET_ADMIN the size is limited by net.core.rmem_max.
  if (libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4) < 0) libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size, 4);
  if (libc.bind(fd, netlinkAddress(GROUP_PROC), NETLINK_ADDRESS_BYTES) < 0) {
    const code = errnoName(libc);
    libc.close(fd);
    return { kind: 'failed', call: 'bind', code };
  }
  return { kind: 'opened', socket: new ConnectorSocket(libc, fd) };
}

/** The result of `openConnectorSocket`. */
type OpenedConnector =
  | { readonly kind: 'opened'; readonly socket: ConnectorSocket }
  | { readonly kind: 'failed'; readonly call: 'load' | 'socket' | 'bind'; readonly code: string };

/** The result of one call of `receive`: there may be more, nothing is left, or the kernel reports that it lost something. */
export type Received = 'more' | 'drained' | 'overrun';

/** One open socket; `close` must be called. */
export class ConnectorSocket {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #record = new ProcRecord();
  // Not from Buffer's pool, so outside of the heap, where they never move: the kernel writes into them by address.
  readonly #data = Buffer.alloc(SLOTS * SLOT_SIZE);
  readonly #senders = Buffer.alloc(SLOTS * NETLINK_ADDRESS_BYTES);
  readonly #vectors = Buffer.alloc(SLOTS * IOVEC);
  readonly #headers = Buffer.alloc(SLOTS * MMSGHDR);
  readonly #dataView = viewOf(this.#data);
  readonly #senderView = viewOf(this.#senders);
  readonly #headerView = viewOf(this.#headers);

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#fillHeaders();
  }

  /**
   * Asks the kernel to send events to this socket (`listen`) or to stop that (`ignore`); with `only`, to send events of these
   * kinds alone (Linux 6.6). The answer acknowledges `mark` + 1; with `only`, and before Linux 6.6, there may be none. Returns
   * undefined, or the name of the errno.
   */
  request(operation: 'listen' | 'ignore', mark: number, only?: ReadonlySet<ProcessEventType>): string | undefined {
    const input = Buffer.alloc(only === undefined ? 4 : 8);
    input.writeUInt32LE(operation === 'listen' ? PROC_CN_MCAST_LISTEN : PROC_CN_MCAST_IGNORE, 0);
    if (only !== undefined)
      input.writeUInt32LE(
        [...only].reduce((mask, type) => mask + eventBits[type], 0),
        4,
      );
    const message = Buffer.alloc(MESSAGE_HEADERS + input.length);
    message.writeUInt32LE(message.length, 0);
    message.writeUInt16LE(NLMSG_DONE, 4);
    message.writeUInt32LE(CN_IDX_PROC, 16);
    message.writeUInt32LE(CN_VAL_PROC, 20);
    message.writeUInt32LE(mark, 28);
    message.writeUInt16LE(input.length, 32);
    input.copy(message, MESSAGE_HEADERS);
    const sent = this.#libc.sendto(this.#fd, message, message.length, 0, netlinkAddress(), NETLINK_ADDRESS_BYTES);
    return sent < 0 ? this.errnoName(this.#libc.errno()) : undefined;
  }

  /**
   * Reads up to 256 datagrams that have arrived, and passes the messages of those that the kernel sent to `onRecord`. Never
   * waits.
   */
  receive(onRecord: (record: ProcRecord) => void): Received {
    const count = this.#libc.recvmmsg(this.#fd, this.#headers, SLOTS, 0, null);
    if (count < 0) {
      const errno = this.#libc.errno();
      if (errno === this.#libc.codes.EAGAIN) return 'drained';
      // Not only for ENOBUFS: any other fault may have cost an event.
      return errno === this.#libc.codes.EINTR ? 'more' : 'overrun';
    }
    for (let slot = 0; slot < count; slot += 1) {
      // Programs may write to the group too, if root lets them; only the kernel has port 0.
      if (this.#senderView.getUint32(slot * NETLINK_ADDRESS_BYTES + 4, true) !== 0) continue;
      const start = slot * SLOT_SIZE;
      const length = this.#headerView.getUint32(slot * MMSGHDR + MSG_LEN, true);
      parseProcEvents(this.#dataView, start, start + Math.min(length, SLOT_SIZE), this.#record, onRecord);
    }
    return count < SLOTS ? 'drained' : 'more';
  }

  /** The name of an errno: `EPERM` for 1. */
  errnoName(errno: number): string {
    return errnoName(this.#libc, errno);
  }

  watch(onReadable: () => void): DescriptorWatch {
    return this.#libc.watch(this.#fd, onReadable);
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  /**
   * Fills in struct mmsghdr, iovec and sockaddr_nl of each slot, for 64 bits: the kernel changes only the lengths, to the same
   * values.
   */
  #fillHeaders(): void {
    const [data, senders, vectors] = [this.#data, this.#senders, this.#vectors].map((part) => this.#libc.addressOf(part));
    for (let slot = 0; slot < SLOTS; slot += 1) {
      this.#vectors.writeBigUInt64LE((data ?? 0n) + BigInt(slot * SLOT_SIZE), slot * IOVEC);
      this.#vectors.writeBigUInt64LE(BigInt(SLOT_SIZE), slot * IOVEC + 8);
      const header = slot * MMSGHDR;
      this.#headers.writeBigUInt64LE((senders ?? 0n) + BigInt(slot * NETLINK_ADDRESS_BYTES), header);
      this.#headers.writeUInt32LE(NETLINK_ADDRESS_BYTES, header + 8);
      this.#headers.writeBigUInt64LE((vectors ?? 0n) + BigInt(slot * IOVEC), header + 16);
      this.#headers.writeBigUInt64LE(1n, header + 24);
    }
  }
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value, 0);
  return bytes;
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

const SLOTS = 256;
/** An event takes 76 bytes; a longer datagram is truncated, and the rest is not reported. */
const SLOT_SIZE = 256;
const IOVEC = 16;
const MMSGHDR = 64;
const MSG_LEN = 56;
const MESSAGE_HEADERS = 36;
const RECEIVE_BUFFER = 16 * 2 ** 20;

const NETLINK_CONNECTOR = 11;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const NLMSG_DONE = 3;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
/** The group as a bit mask; its number is CN_IDX_PROC. */
const GROUP_PROC = 1;
const PROC_CN_MCAST_LISTEN = 1;
const PROC_CN_MCAST_IGNORE = 2;
