// Reads resolv.conf.

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { readPieces } from '../read-pieces.ts';

/** How DNS is to be asked, as resolv.conf(5) says. */
interface ResolvConf {
  /** Addresses, in the order in which they are asked; one to three. */
  readonly servers: readonly string[];
  /** The file names no server: `servers` is this machine. */
  readonly namesNone: boolean;
  /** Domains that are appended to short names, without dots at their ends; at most 32. */
  readonly search: readonly string[];
  /** A name with at least that many dots is tried first as it stands. */
  readonly ndots: number;
  /** How long to wait for a server, in milliseconds. */
  readonly timeoutMs: number;
  /** How often each server is asked. */
  readonly attempts: number;
  /** Only IPv4 is asked for. */
  readonly noIpv6: boolean;
}

/** Where the system's configuration of DNS is. */
const RESOLV_CONF = '/etc/resolv.conf';

/**
 * Reads the file at each call, its first 64 KiB. A missing file counts as an empty one. `host`: the name of this machine. Never
 * throws.
 */
export function readResolvConf(path: string = RESOLV_CONF, host: string = hostname()): ResolvConf {
  return parseResolvConf([...readPieces(path, MOST_BYTES)].join(''), host);
}

const MOST_BYTES = 64 * 1024;

/**
 * Parses the file as glibc does. Lines that are not of resolv.conf(5) are ignored; a keyword begins its line; the last `search`
 * or `domain` counts; the first three servers count; options add up; numbers are limited to glibc's bounds. Without a domain,
 * `host`'s own domain is searched. Without a server, this machine is asked.
 */
function parseResolvConf(text: string, host: string): ResolvConf {
  const servers: string[] = [];
  let search: readonly string[] | undefined;
  let options: readonly string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, keyword, rest = ''] = /^(nameserver|domain|search|options)[ \t]+(.*)$/.exec(line) ?? [];
    const words = rest.split(/\s+/).filter((word) => word !== '');
    const [first] = words;
    if (first === undefined) continue;
    if (keyword === 'nameserver' && isIP(first) !== 0) servers.push(first);
    if (keyword === 'domain') search = [first];
    if (keyword === 'search') search = words;
    if (keyword === 'options') options = [...options, ...words];
  }
  const number = (name: string, usual: number, most: number): number => {
    const digits = options.findLast((option) => option.startsWith(`${name}:`))?.slice(name.length + 1) ?? '';
    return /^\d+$/.test(digits) ? Math.min(Number(digits), most) : usual;
  };
  return {
    servers: servers.length === 0 ? [OURSELVES] : servers.slice(0, MOST_SERVERS),
    namesNone: servers.length === 0,
    search: (search ?? ownDomain(host)).flatMap((domain) => domainName(domain)).slice(0, MOST_DOMAINS),
    ndots: number('ndots', 1, 15),
    timeoutMs: Math.max(number('timeout', 5, 30), 1) * 1000,
    attempts: Math.max(number('attempts', 2, 5), 1),
    noIpv6: options.includes('no-aaaa'),
  };
}

const OURSELVES = '127.0.0.1';
const MOST_SERVERS = 3;
const MOST_DOMAINS = 32;

function ownDomain(host: string): string[] {
  const dot = host.indexOf('.');
  return dot < 0 ? [] : [host.slice(dot + 1)];
}

/** Removes the dot at its end. `.` itself, the root, appends nothing to a name, which is tried anyway. */
function domainName(domain: string): string[] {
  const name = domain.replace(/\.$/, '').toLowerCase();
  return name === '' || name.length > LONGEST_NAME ? [] : [name];
}

/** In characters (RFC 1035). */
const LONGEST_NAME = 253;

/**
 * Returns the full names that `name` may stand for, in the order in which they are tried: with enough dots, first as it stands;
 * else first with each domain appended. With a dot at its end it only stands for itself.
 */
export function fullNames(name: string, { search, ndots }: Pick<ResolvConf, 'search' | 'ndots'>): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const dots = name.split('.').length - 1;
  const searched = search.map((domain) => `${name}.${domain}`).filter((full) => full.length <= LONGEST_NAME);
  return [...new Set(dots >= ndots ? [name, ...searched] : [...searched, name])];
}
