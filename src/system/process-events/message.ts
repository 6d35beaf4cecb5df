import type { ProcessEventType } from '../../core/process/event.ts';

/**
 * Reads what the kernel's proc connector sent in one datagram, the bytes of `view` from `start` to before `end`, and passes
 * each of its messages to `onRecord`, in order. Anything that is not a complete message of the connector is skipped; no input
 * makes it throw. The same `record` is passed each time: a caller that keeps something copies it. Little-endian, like x86-64
 * and arm64. Source: linux/netlink.h, linux/connector.h, linux/cn_proc.h.
 */
export function parseProcEvents(
  view: DataView,
  start: number,
  end: number,
  record: ProcRecord,
  onRecord: (record: ProcRecord) => void,
): void {
  const stop = Math.min(end, view.byteLength);
  let at = start;
  while (stop - at >= NETLINK_HEADER) {
    const length = view.getUint32(at, true);
    if (length < NETLINK_HEADER || length > stop - at) return;
    if (readMessage(view, at, length, record)) onRecord(record);
    // Each message begins at a multiple of four.
    at += (length + 3) & ~3;
  }
}

/** One message of the connector. `type` decides which fields are valid; the others keep values of an earlier message. */
export class ProcRecord {
  /** `acknowledged`: the answer to a listener's request. */
  type: ProcessEventType | 'acknowledged' = 'acknowledged';
  /** The processor on which it happened; 2^32 - 1 for acknowledgements before Linux 4.8, which are not counted. */
  cpu = 0;
  /** The number of the message on that processor, from 0 to 2^32 - 1, then from 0 again. */
  sequence = 0;
  /** For an acknowledgement: one more than the number that the listener has chosen. */
  acknowledges = 0;
  /** When it happened, by CLOCK_MONOTONIC, in milliseconds with a fraction. */
  monotonicMs = 0;
  /** The thread; for a fork the new one. The first thread of a process has the number of the process. */
  thread = 0;
  /** The process that the thread belongs to. */
  pid = 0;
  /** For fork, exit (0 before Linux 4.18) and coredump. */
  parentPid = 0;
  /** For exit: the status as wait(2) returns it. */
  status = 0;
  /** For uid and gid. */
  real = 0;
  effective = 0;
  /** For ptrace: 0 if it is no longer traced. */
  tracerPid = 0;
  /** For comm: bytes that are not UTF-8 have become U+FFFD. */
  name = '';
  /** For an acknowledgement: 0, or an errno. */
  error = 0;
}

/** The values of `what` in struct proc_event. */
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

/** True if it is a complete message of the connector, of a known kind; `record` then contains it. */
function readMessage(view: DataView, at: number, length: number, record: ProcRecord): boolean {
  if (length < DATA || view.getUint16(at + 4, true) !== NLMSG_DONE) return false;
  if (view.getUint32(at + 16, true) !== CN_IDX_PROC || view.getUint32(at + 20, true) !== CN_VAL_PROC) return false;
  // The length that the connector declares; the rest of the message does not belong to it.
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
      return readIds(view, at + 8, record);
    case eventBits.exec:
      if (size < 8) return false;
      record.type = 'exec';
      return readIds(view, at, record);
    case eventBits.uid:
    case eventBits.gid:
      if (size < 16) return false;
      record.type = what === eventBits.uid ? 'uid' : 'gid';
      record.real = view.getUint32(at + 8, true);
      record.effective = view.getUint32(at + 12, true);
      return readIds(view, at, record);
    case eventBits.sid:
      if (size < 8) return false;
      record.type = 'sid';
      return readIds(view, at, record);
    case eventBits.ptrace:
      if (size < 16) return false;
      record.type = 'ptrace';
      record.tracerPid = view.getInt32(at + 12, true);
      return readIds(view, at, record);
    case eventBits.comm:
      if (size < 24) return false;
      record.type = 'comm';
      record.name = readName(view, at + 8);
      return readIds(view, at, record);
    case eventBits.coredump:
      if (size < 8) return false;
      record.type = 'coredump';
      record.parentPid = size < 16 ? 0 : view.getInt32(at + 12, true);
      return readIds(view, at, record);
    case eventBits.exit:
      if (size < 16) return false;
      record.type = 'exit';
      record.status = view.getUint32(at + 8, true);
      record.parentPid = size < 24 ? 0 : view.getInt32(at + 20, true);
      return readIds(view, at, record);
    default:
      return false;
  }
}

function readIds(view: DataView, at: number, record: ProcRecord): true {
  record.thread = view.getInt32(at, true);
  record.pid = view.getInt32(at + 4, true);
  return true;
}

/** The name up to the first zero byte: what follows is left over from earlier names. */
function readName(view: DataView, at: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + at, MAX_NAME);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? MAX_NAME : end);
}

/**
 * Sizes of struct nlmsghdr and of the fixed part of struct proc_event; and the offset, after struct cn_msg, of the part that
 * differs.
 */
const NETLINK_HEADER = 16;
const PROC_EVENT_HEADER = 16;
const DATA = NETLINK_HEADER + 20 + PROC_EVENT_HEADER;
const NLMSG_DONE = 3;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const MAX_NAME = 15;
