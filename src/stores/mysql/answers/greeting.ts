import { printable } from '../../../core/text/printable.ts';

/**
 * Why the first bytes of a connection are not the greeting of a MySQL server, in one line that follows the name of the
 * endpoint; undefined while they may become one. Source: MySQL client/server protocol, Protocol::HandshakeV10.
 */
export function notGreeting(head: Buffer): string | undefined {
  if (isXProtocol(head)) return "it speaks MySQL's X protocol (expected the port of the classic one, usually 3306)";
  if (head.length < HEADER + 1) return undefined;
  const first = head[HEADER];
  if (head[3] === 0 && greetingEnd(head) <= MOST_BYTES && (first === VERSION || first === REFUSAL)) return undefined;
  if (head[3] === 0 && greetingEnd(head) <= MOST_BYTES && first !== undefined && first < VERSION)
    return `it speaks version ${first} of MySQL's protocol (expected ${VERSION})`;
  return `this is not a MySQL server: it sent ${JSON.stringify(printable(head.toString('latin1').trim()))}`;
}

/** How many of the first bytes are checked. */
export const GREETING_HEAD = 48;

/** The offset at which the first packet ends; `head` has at least its header. */
export function greetingEnd(head: Buffer): number {
  return HEADER + head.readUIntLE(0, 3);
}

const HEADER = 4;
/** The limit of a packet of this kind; the longest known one has about 200 bytes. */
const MOST_BYTES = 4096;
const VERSION = 10;
/** An error instead of a greeting: too many connections, or a host that may not connect. */
const REFUSAL = 0xff;

/** Whether it is a notice in which the server greets: 4 bytes of length, type 11. Source: mysqlx_notice.proto. */
function isXProtocol(head: Buffer): boolean {
  return head.length >= 5 && head.readUInt32LE(0) <= 64 && head[3] === 0 && head[4] === 0x0b;
}
