import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv4, type Server, type Socket } from 'node:net';

/** What the server says of a name: addresses, or how it fails. `truncated`: the addresses, but over TCP only. */
export type DnsRecord =
  | readonly string[]
  | { readonly truncated: readonly string[] }
  | { readonly only: 4 | 6; readonly addresses: readonly string[] }
  | { readonly records: readonly Resource[] }
  | 'nxdomain'
  | 'servfail'
  | 'refused'
  | 'silent';

/** The number of its type (15: MX), and its data (RFC 1035). */
type Resource = readonly [type: number, data: Buffer];

/** A small DNS server of a test's own, over UDP and TCP, on one port of 127.0.0.1. */
export interface DnsServer {
  /** For `servers` of a resolver: `127.0.0.1:PORT`. */
  readonly address: string;
  /** By full name in small letters; what is not there is `otherwise`. */
  readonly names: Map<string, DnsRecord>;
  otherwise: DnsRecord;
  /** Full names that were asked for, in their order, with the family: `web.example.test 4`. */
  readonly asked: string[];
}

/** What ends it: a test's context is one. */
interface Scope {
  after(end: () => Promise<void>): unknown;
}

/** Starts one; it ends with the test. `place`: 127.0.0.1 and any port unless said. */
export async function dnsServer(
  t: Scope,
  names: Readonly<Record<string, DnsRecord>> = {},
  otherwise: DnsRecord = 'nxdomain',
  place: { readonly host?: string; readonly port?: number } = {},
): Promise<DnsServer> {
  const { host = '127.0.0.1' } = place;
  const tcp = createServer();
  tcp.listen(place.port ?? 0, host);
  await once(tcp, 'listening');
  const bound = tcp.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const udp = createSocket('udp4');
  udp.bind(port, host);
  await once(udp, 'listening');
  const server = { address: `${host}:${port}`, names: new Map(Object.entries(names)), otherwise, asked: [] as string[] };
  udp.on('message', (query, from) => {
    const answer = answerTo(query, server, false);
    if (answer !== undefined) udp.send(answer, from.port, from.address);
  });
  serveTcp(tcp, server);
  t.after(() => close(udp, tcp));
  return server;
}

function serveTcp(tcp: Server, server: DnsServer): void {
  tcp.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const answer = answerTo(data.subarray(2), server, true);
      if (answer === undefined) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.end(Buffer.concat([length, answer]));
    });
  });
}

const sockets = new Set<Socket>();

async function close(udp: UdpSocket, tcp: Server): Promise<void> {
  udp.close();
  tcp.close();
  for (const socket of sockets) socket.destroy();
  await once(tcp, 'close');
}

/** The message of RFC 1035 that answers `query`; undefined where nothing is to be said. */
function answerTo(query: Buffer, server: DnsServer, isTcp: boolean): Buffer | undefined {
  const { name, type, end } = questionOf(query);
  const family = type === 28 ? 6 : 4;
  server.asked.push(`${name} ${family}`);
  const record = server.names.get(name) ?? server.otherwise;
  if (record === 'silent') return undefined;
  const isCut = typeof record === 'object' && 'truncated' in record && !isTcp;
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  const code = typeof record === 'string' ? CODES[record] : 0;
  header.writeUInt16BE(0x8180 | (isCut ? 0x0200 : 0) | code, 2);
  header.writeUInt16BE(1, 4);
  const records = isCut ? [] : resourcesOf(record, type, family);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, end), ...records.map(resource)]);
}

const CODES = { nxdomain: 3, servfail: 2, refused: 5 } as const;

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += length + 1;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function resourcesOf(record: DnsRecord, type: number, family: 4 | 6): readonly Resource[] {
  if (typeof record === 'string') return [];
  if ('records' in record) return record.records.filter(([own]) => own === type);
  const all = 'truncated' in record ? record.truncated : 'addresses' in record ? record.addresses : record;
  const bytes = (address: string) => (isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address));
  return all.filter((address) => isIPv4(address) === (family === 4)).map((address) => [type, bytes(address)]);
}

function resource([type, data]: Resource): Buffer {
  // The name is the question's; class IN, 60 s.
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 0xff]);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
