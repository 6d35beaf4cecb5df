import type { ProcessEventType } from '../../core/process/event.ts';

/**
 * Reads what the kernel's proc connector sent in one datagram, the bytes from `start` to before `end` of `view`, and tells each
 * message of it in its order. What is no whole message of the connector is passed over; no bytes whatever make it throw. The same
 * `record` is told each time: whoever wants to keep something of it copies it. Little-endian, as x86-64 and arm64 are.
 * Source: linux/netlink.h, linux/connector.h, linux/cn_proc.h.
 */
export function parseProcEvents(
  view: DataView,
  start: number,
  end: number,
  record: ProcRecord,
  tell: (record: ProcRecord) => void,
): void {
  const stop = Math.min(end, view.byteLength);
  let at = start;
  while (stop - at >= NETLINK_HEADER) {
    const length = view.getUint32(at, true);
    if (length < NETLINK_HEADER || length > stop - at) return;
    if (readMessage(view, at, length, record)) tell(record);
    // Each message begins at a multiple of four.
    at += (length + 3) & ~3;
  }
}

/** One message of the connector. Which fields have a meaning depends on `type`; the others hold what an earlier message said. */
export class ProcRecord {
  /** `acknowledged`: the answer to what a listener has sent. */
  type: ProcessEventType | 'acknowledged' = 'acknowledged';
  /** The processor that it happened on; 2^32 - 1 for acknowledgements before Linux 4.8, which are not counted. */
  cpu = 0;
  /** Counts the messages of that processor, from 0 to 2^32 - 1 and round. */
  sequence = 0;
  /** Of an acknowledgement: one more than the listener has chosen. */
  acknowledges = 0;
  /** When, by CLOCK_MONOTONIC, milliseconds with a fraction. */
  monotonicMs = 0;
  /** The thread; of a fork the new one. A process's first thread has the process's number. */
  thread = 0;
  /** The process that the thread belongs to. */
  pid = 0;
  /** Of fork, exit (0 before Linux 4.18) and coredump. */
  parentPid = 0;
  /** Of exit: as wait(2) gives it. */
  status = 0;
  /** Of uid and gid. */
  real = 0;
  effective = 0;
  /** Of ptrace: 0 where it is no longer traced. */
  tracerPid = 0;
  /** Of comm: bytes that are no UTF-8 have become U+FFFD. */
  name = '';
  /** Of an acknowledgement: 0, or an errno. */
  error = 0;
}

/** `what` of struct proc_event. */
export const eventBits = {
  fork: 0x0000_0001,
  exec: 0x0000_0002,
  uid: 0x0000_0004,
  gid: 0x0000_0040,
  sid: 0x0000_0080,
  ptrace: 0x0000_0100,
  comm: 0x0000_0200,
  coredump: 0x4000_0000,
  exit: 0x8000_0000,
} as const satisfies Readonly<Record<ProcessEventType, number>>;

/** True where it is a whole message of the connector, of a kind that is known; `record` then holds it. */
function readMessage(view: DataView, at: number, length: number, record: ProcRecord): boolean {
  if (length < DATA || view.getUint16(at + 4, true) !== NLMSG_DONE) return false;
  if (view.getUint32(at + 16, true) !== CN_IDX_PROC || view.getUint32(at + 20, true) !== CN_VAL_PROC) return false;
  // What the connector says of its own length; the rest of the message is not its.
  const size = view.getUint16(at + 32, true) - PROC_EVENT_HEADER;
  if (size < 0 || size > length - DATA) return false;
  record.sequence = view.getUint32(at + 24, true);
  record.acknowledges = view.getUint32(at + 28, true);
  record.cpu = view.getUint32(at + 40, true);
  record.monotonicMs = (view.getUint32(at + 48, true) * 2 ** 32 + view.getUint32(at + 44, true)) / 1e6;
  return readEvent(view, view.getUint32(at + 36, true), at + DATA, size, record);
}

function readEvent(view: DataView, what: number, at: number, size: number, record: ProcRecord): boolean {
  switch (what) {
    case 0:
      if (size < 4) return false;
      record.type = 'acknowledged';
      record.error = view.getUint32(at, true);
      return true;
    case eventBits.fork:
      if (size < 16) return false;
      record.type = 'fork';
      record.parentPid = view.getInt32(at + 4, true);
      return readWho(view, at + 8, record);
    case eventBits.exec:
      if (size < 8) return false;
      record.type = 'exec';
      return readWho(view, at, record);
    case eventBits.uid:
    case eventBits.gid:
      if (size < 16) return false;
      record.type = what === eventBits.uid ? 'uid' : 'gid';
      record.real = view.getUint32(at + 8, true);
      record.effective = view.getUint32(at + 12, true);
      return readWho(view, at, record);
    case eventBits.sid:
      if (size < 8) return false;
      record.type = 'sid';
      return readWho(view, at, record);
    case eventBits.ptrace:
      if (size < 16) return false;
      record.type = 'ptrace';
      record.tracerPid = view.getInt32(at + 12, true);
      return readWho(view, at, record);
    case eventBits.comm:
      if (size < 24) return false;
      record.type = 'comm';
      record.name = readName(view, at + 8);
      return readWho(view, at, record);
    case eventBits.coredump:
      if (size < 8) return false;
      record.type = 'coredump';
      record.parentPid = size < 16 ? 0 : view.getInt32(at + 12, true);
      return readWho(view, at, record);
    case eventBits.exit:
      if (size < 16) return false;
      record.type = 'exit';
      record.status = view.getUint32(at + 8, true);
      record.parentPid = size < 24 ? 0 : view.getInt32(at + 20, true);
      return readWho(view, at, record);
    default:
      return false;
  }
}

function readWho(view: DataView, at: number, record: ProcRecord): true {
  record.thread = view.getInt32(at, true);
  record.pid = view.getInt32(at + 4, true);
  return true;
}

/** Up to the first zero byte: what follows it is left over from earlier names. */
function readName(view: DataView, at: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + at, MAX_NAME);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? MAX_NAME : end);
}

/** Sizes of struct nlmsghdr; of the fixed part of struct proc_event; and where, behind struct cn_msg, that what differs begins. */
const NETLINK_HEADER = 16;
const PROC_EVENT_HEADER = 16;
const DATA = NETLINK_HEADER + 20 + PROC_EVENT_HEADER;
const NLMSG_DONE = 3;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const MAX_NAME = 15;
