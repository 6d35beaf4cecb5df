// The records of DNS that a check may ask for, and their values in a form that can be compared.
import { isIPv4, isIPv6 } from 'node:net';
import { quoted } from '../../core/text/printable.ts';
import { asciiHostName } from '../../system/names/host-name.ts';

/** The records that a check may ask for. */
export const RECORDS = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'] as const;

/** One of them. */
export type DnsRecordType = (typeof RECORDS)[number];

/** One record of an answer. */
export interface DnsValue {
  /** For people: `10 mail.example.org`. What the server sent is not yet printable. */
  readonly shown: string;
  /** What may be expected of it, as `expectedValue` writes it: `mail.example.org`, `10 mail.example.org`. */
  readonly forms: readonly string[];
}

/** The records of an answer, as Node gives them (`dns.Resolver.resolve`). */
export function valuesIn(record: DnsRecordType, answer: unknown): DnsValue[] {
  const all: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  return all.map((one) => dnsValue(record, one as NodeRecord & string & readonly string[]));
}

interface NodeRecord {
  readonly priority: number;
  /** MX. */
  readonly exchange: string;
  /** SRV. */
  readonly weight: number;
  readonly port: number;
  readonly name: string;
  /** SOA. */
  readonly nsname: string;
  readonly hostmaster: string;
  readonly serial: number;
}

function dnsValue(record: DnsRecordType, one: NodeRecord & string & readonly string[]): DnsValue {
  switch (record) {
    case 'A':
    case 'AAAA':
      return same(canonicalAddress(one));
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return same(canonicalName(one));
    case 'MX': {
      const host = canonicalName(one.exchange);
      return { shown: `${one.priority} ${host}`, forms: [host, `${one.priority} ${host}`] };
    }
    case 'SRV': {
      const host = canonicalName(one.name);
      const whole = `${one.priority} ${one.weight} ${one.port} ${host}`;
      return { shown: whole, forms: [host, `${host}:${one.port}`, whole] };
    }
    case 'SOA': {
      const host = canonicalName(one.nsname);
      const shown = `${host} ${canonicalName(one.hostmaster)} ${one.serial}`;
      return { shown, forms: [host, String(one.serial)] };
    }
    case 'TXT': {
      const text = one.join('');
      return { shown: quoted(text), forms: [text] };
    }
    default:
      return record satisfies never;
  }
}

function same(value: string): DnsValue {
  return { shown: value, forms: [value] };
}

/** What is expected of a record, in the form that answers are compared with; undefined if no such record can have that value. */
export function expectedValue(record: DnsRecordType, text: string): string | undefined {
  if (record === 'TXT') return text;
  if (record === 'A') return isIPv4(text) ? text : undefined;
  if (record === 'AAAA') return isIPv6(text) && !text.includes('%') ? canonicalAddress(text) : undefined;
  const [, numbers = '', name = '', port = ''] = PATTERNS[record]?.exec(text.replace(/\s+/g, ' ')) ?? [];
  if (record === 'SOA' && /^\d+$/.test(text)) return text;
  const host = asciiHostName(name);
  return host === undefined ? undefined : `${numbers}${canonicalName(host)}${port}`;
}

const NAME = /^()([^\s:]+)()$/;
/** Numbers before a name, the name, and what follows it. */
const PATTERNS: Partial<Readonly<Record<DnsRecordType, RegExp>>> = {
  CNAME: NAME,
  NS: NAME,
  PTR: NAME,
  SOA: NAME,
  MX: /^((?:\d+ )?)([^\s:]+)()$/,
  SRV: /^((?:\d+ \d+ \d+ (?=[^:]+$))?)([^\s:]+)((?::\d+)?)$/,
};

/** What a value of such a record looks like, for a message. */
export const VALUE_WORDS: Readonly<Record<DnsRecordType, string>> = {
  A: 'IPv4 addresses',
  AAAA: 'IPv6 addresses',
  CNAME: 'a name',
  MX: 'names, or PRIORITY NAME',
  NS: 'names',
  PTR: 'names',
  SOA: 'the name of a server, or a serial number',
  SRV: 'names, NAME:PORT, or PRIORITY WEIGHT PORT NAME',
  TXT: 'a text',
};

function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '') || '.';
}

/** As URLs write it: one of the many ways to write an IPv6 address. */
function canonicalAddress(address: string): string {
  return isIPv6(address) ? (URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address) : address;
}

/** The name that a PTR record of this address has; undefined if it is not an address. */
export function reverseName(address: string): string | undefined {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const [head = '', tail] = canonicalAddress(address).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const missing = Array<string>(8 - first.length - last.length).fill('0');
  const digits = [...first, ...missing, ...last].map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
