import { endianness } from 'node:os';

/**
 * Parses an address and port as /proc/net/tcp and similar files write them, `0100007F:1F90`; undefined if the text is something
 * else.
 */
export function internetAddress(text: string): { readonly address: string; readonly port: number } | undefined {
  const colon = text.indexOf(':');
  const [hex, port] = [text.slice(0, colon), Number.parseInt(text.slice(colon + 1), 16)];
  if (colon < 0 || Number.isNaN(port) || !/^[\dA-F]+$/i.test(hex)) return undefined;
  if (hex.length === 8) return { address: bytesOf(hex).join('.'), port };
  if (hex.length === 32) return { address: ipv6(bytesOf(hex)), port };
  return undefined;
}

/** Words of 32 bits are printed in the processor's byte order; addresses are in network order. */
function bytesOf(hex: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < hex.length; at += 8) {
    const word = [0, 2, 4, 6].map((offset) => Number.parseInt(hex.slice(at + offset, at + offset + 2), 16));
    bytes.push(...(endianness() === 'LE' ? word.reverse() : word));
  }
  return bytes;
}

/** The canonical form (RFC 5952). */
function ipv6(bytes: readonly number[]): string {
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push((bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${bytes.slice(12).join('.')}`;
  const [start, length] = longestZeros(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function longestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end += 1;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}
