// Parses and writes HOST:PORT.
import { isIPv4, isIPv6 } from 'node:net';
import { invisibleIn } from './printable.ts';

/**
 * `HOST:PORT`, `[IPv6]:PORT`, `:PORT` or `PORT`, the port from 1 to 65535; without a host it is undefined. The result is
 * undefined if the text has none of these forms. A host has letters, digits, dots, dashes and underscores, none of them
 * invisible; if it has only digits and dots, it is an IPv4 address.
 */
export function parseHostPort(text: string): { readonly host: string | undefined; readonly port: number } | undefined {
  const [, bracketed, name, digits] = /^(?:(?:\[([^\]]+)\]|([\p{L}\p{N}._-]*)):)?(\d{1,5})$/u.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535) || invisibleIn(text) !== undefined) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  const host = name || undefined;
  return host !== undefined && /^[\d.]+$/.test(host) && !isIPv4(host) ? undefined : { host, port };
}

/** For people: `127.0.0.1:8080`, `[::1]:8080`. */
export function hostPortName({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** An address without a zone (`%eth0`), and an IPv4-mapped IPv6 address as IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** True for `localhost` and for an address that always belongs to this machine: 127.0.0.0/8 or `::1`. */
export function isLoopback(host: string): boolean {
  const plain = plainAddress(host);
  return host === 'localhost' || plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}
