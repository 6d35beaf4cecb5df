// The check `type = dns`: DNS says of a name what it has to say.
import { isIP } from 'node:net';
import { shownText } from '../../../config/shown-value.ts';
import type { SectionReader } from '../../../core/config.ts';
import { hostPortName, parseHostPort } from '../../../core/text/host-port.ts';
import type { DnsWork } from '../../../probes/dns/look.ts';
import { type DnsRecordType, expectedValue, RECORDS, reverseName, VALUE_WORDS } from '../../../probes/dns/values.ts';
import { asciiHostName } from '../../../system/names/host-name.ts';
import type { CheckType } from '../check.ts';
import { readingOf } from './away.ts';

/** `[check.NAME]` with `type = dns`. */
export const dnsCheck: CheckType<DnsWork> = {
  keys: ['name', 'record', 'server', 'expect'],
  parse,
  create: (work, _check, { worker }) => ({
    description: `dns ${work.name} ${work.record}${work.server === undefined ? '' : ` at ${work.server}`}`,
    look: async (timeoutMs, signal) => readingOf(await worker.ask(work, timeoutMs, signal), 0),
  }),
};

/** Reads the keys of this type; problems go to the reader. Undefined if there is no name, or something that cannot be used. */
function parse(section: SectionReader): DnsWork | undefined {
  const text = section.text('record') ?? 'A';
  const record = RECORDS.find((one) => one === text.toUpperCase());
  if (record === undefined) section.problem('record', invalid(text, `one of ${RECORDS.join(', ')}`));
  const name = parseName(section, record);
  const server = parseServer(section);
  const expect = record === undefined ? [] : parseExpect(section, record);
  if (record === undefined || name === undefined) return undefined;
  return { type: 'dns', name, record, server, expect };
}

function parseName(section: SectionReader, record: DnsRecordType | undefined): string | undefined {
  const text = section.text('name');
  if (text === undefined) {
    section.refuse('name', 'is missing: type = dns needs a name, such as www.example.org');
    return undefined;
  }
  const reverse = record === 'PTR' ? reverseName(text) : undefined;
  if (reverse !== undefined) return reverse;
  const name = isIP(text) === 0 ? asciiHostName(text) : undefined;
  if (name === undefined) section.problem('name', invalid(text, `a host name${record === 'PTR' ? ' or an address' : ''}`));
  return name?.toLowerCase().replace(/\.$/, '');
}

function parseServer(section: SectionReader): string | undefined {
  const text = section.text('server');
  if (text === undefined) return undefined;
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const { host, port } = isIP(bare) === 0 ? (parseHostPort(text) ?? {}) : { host: bare, port: DNS_PORT };
  if (host !== undefined && port !== undefined && isIP(host) !== 0) return hostPortName({ host, port });
  section.problem('server', invalid(text, 'an address, such as 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53'));
  return undefined;
}

const DNS_PORT = 53;

function parseExpect(section: SectionReader, record: DnsRecordType): string[] {
  const text = section.text('expect');
  // A comma can be part of a text.
  const items = record === 'TXT' ? (text === undefined ? [] : [text]) : section.list('expect');
  return items.flatMap((item) => {
    const value = expectedValue(record, item);
    if (value === undefined) section.problem('expect', invalid(item, `${VALUE_WORDS[record]} (record = ${record})`));
    return value ?? [];
  });
}

function invalid(text: string, expected: string): string {
  return `invalid value "${shownText(text, LONGEST_SHOWN)}", expected ${expected}`;
}

const LONGEST_SHOWN = 60;
