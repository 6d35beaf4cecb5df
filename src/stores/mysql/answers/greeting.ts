import { printable } from '../../../core/text/printable.ts';

/**
 * Why these first bytes of a connection are no greeting of a MySQL server, in one line that follows the name of the place; undefined
 * while they may become one. Source: MySQL client/server protocol, Protocol::HandshakeV10.
 */
export function notGreeting(head: Buffer): string | undefined {
  if (isXProtocol(head)) return "it speaks MySQL's X protocol (expected the port of the classic one, mostly 3306)";
  if (head.length < HEADER + 1) return undefined;
  const first = head[HEADER];
  if (head[3] === 0 && greetingEnd(head) <= MOST_BYTES && (first === VERSION || first === REFUSAL)) return undefined;
  if (head[3] === 0 && greetingEnd(head) <= MOST_BYTES && first !== undefined && first < VERSION)
    return `it speaks version ${first} of MySQL's protocol (expected ${VERSION})`;
  return `no MySQL server answers there: it says ${JSON.stringify(printable(head.toString('latin1').trim()))}`;
}

/** How many of the first bytes are looked at. */
export const GREETING_HEAD = 48;

/** Where the first packet ends, of which at least the header is there. */
export function greetingEnd(head: Buffer): number {
  return HEADER + head.readUIntLE(0, 3);
}

const HEADER = 4;
/** Of a packet of this kind; the longest that is known has some 200. */
const MOST_BYTES = 4096;
const VERSION = 10;
/** An error instead: too many connections, a host that may not connect. */
const REFUSAL = 0xff;

/** A notice that the server says hello: 4 bytes of length, type 11. Source: mysqlx_notice.proto. */
function isXProtocol(head: Buffer): boolean {
  return head.length >= 5 && head.readUInt32LE(0) <= 64 && head[3] === 0 && head[4] === 0x0b;
}
