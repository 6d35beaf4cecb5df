// The sockets that a process holds open, from the kernel's tables.
import { internetAddress } from './address.ts';
import type { ProcFiles } from './files.ts';

/** A socket that a process holds open. */
export type ProcessSocket = InternetSocket | UnixSocket;

interface InternetSocket {
  readonly fd: number;
  readonly protocol: InternetProtocol;
  /** As in ss(8); a UDP socket is only `established` or `unconnected`. */
  readonly state: string;
  /** `127.0.0.1`, `::1`; `0.0.0.0` and `::` mean all addresses of the machine. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Absent if it is not connected. */
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

interface UnixSocket {
  readonly fd: number;
  readonly protocol: 'unix';
  readonly state: 'listen' | 'unconnected' | 'connecting' | 'established' | 'disconnecting';
  /** The address that it is bound to; `@` stands for the NULs of an abstract name. Absent if it is not bound. */
  readonly path?: string;
}

type InternetProtocol = (typeof INTERNET_PROTOCOLS)[number];

/**
 * The kernel's sockets by inode, for one listing: the tables of each network namespace are read once, when the first of its
 * processes needs them. Netlink, raw and packet sockets are in none of them.
 */
export class SocketTables {
  readonly #files: Pick<ProcFiles, 'link' | 'longText'>;
  readonly #ofNamespace = new Map<string, Map<number, SocketLine>>();
  #own: string | undefined;

  constructor(files: Pick<ProcFiles, 'link' | 'longText'>) {
    this.#files = files;
  }

  /** The known sockets of a process, which are given as [descriptor, inode]. */
  find(pid: number, held: readonly (readonly [fd: number, inode: number])[]): ProcessSocket[] {
    if (held.length === 0) return [];
    const lines = this.#tables(pid);
    const found: ProcessSocket[] = [];
    for (const [fd, inode] of held) {
      const line = lines.get(inode);
      const socket = line === undefined ? undefined : parseSocketLine(fd, line);
      if (socket !== undefined) found.push(socket);
    }
    return found;
  }

  #tables(pid: number): ReadonlyMap<number, SocketLine> {
    this.#own ??= this.#files.link('self/ns/net') ?? '';
    // If the namespace may not be read we assume our own: an inode never means two sockets.
    const namespace = this.#files.link(`${pid}/ns/net`) ?? this.#own;
    const known = this.#ofNamespace.get(namespace);
    if (known !== undefined) return known;
    const owner = namespace === this.#own ? 'self' : String(pid);
    const lines = new Map<number, SocketLine>();
    for (const protocol of [...INTERNET_PROTOCOLS, 'unix'] as const) {
      const table = this.#files.longText(`${owner}/net/${protocol}`, TABLE_LIMIT);
      // If the table is too long its last line is cut too.
      indexSockets(protocol, table?.whole === false ? wholeLines(table.text) : (table?.text ?? ''), lines);
    }
    // If the process ended meanwhile the tables may be incomplete.
    if (owner === 'self' || this.#files.link(`${pid}/ns/net`) === namespace) this.#ofNamespace.set(namespace, lines);
    return lines;
  }
}

/** About 50,000 connections; listening sockets come first. In a network namespace of its own any user can fill a table. */
const TABLE_LIMIT = 8 * 1024 * 1024;

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

/** One line of a table, not parsed yet: most are never needed. */
interface SocketLine {
  readonly protocol: InternetProtocol | 'unix';
  readonly text: string;
}

/** Adds the lines of /proc/PID/net/PROTOCOL to `lines`, by inode. */
function indexSockets(protocol: SocketLine['protocol'], table: string, lines: Map<number, SocketLine>): void {
  const column = protocol === 'unix' ? UNIX_INODE : INTERNET_INODE;
  for (let start = table.indexOf('\n') + 1; start > 0 && start < table.length; ) {
    const end = lineEnd(table, start);
    const text = table.slice(start, end);
    const inode = Number(word(text, column));
    start = end + 1;
    // Connections that wait for their end have no socket any more.
    if (!(inode > 0)) continue;
    const known = lines.get(inode);
    if (known === undefined) lines.set(inode, { protocol, text });
    // Text after a line break in a path may forge a socket: if two claim the same inode, neither is trusted.
    else if (known.protocol === 'unix') lines.set(inode, { protocol, text: '' });
  }
}

/** The end of a line. A line break in the path of a Unix socket is printed as it is: a line ends where the next one begins. */
function lineEnd(table: string, start: number): number {
  for (let end = table.indexOf('\n', start); end >= 0; end = table.indexOf('\n', end + 1)) {
    LINE_START.lastIndex = end + 1;
    if (end + 1 === table.length || LINE_START.test(table)) return end;
  }
  return table.length;
}

/** Parses one line of a table; undefined if the text is something else. */
function parseSocketLine(fd: number, { protocol, text }: SocketLine): ProcessSocket | undefined {
  if (protocol === 'unix') return parseUnixLine(fd, text);
  const local = internetAddress(word(text, 1));
  const remote = internetAddress(word(text, 2));
  const code = Number.parseInt(word(text, 3), 16);
  const state = protocol.startsWith('udp') && code !== ESTABLISHED ? 'unconnected' : TCP_STATES[code];
  if (local === undefined || remote === undefined || state === undefined) return undefined;
  const socket = { fd, protocol, state, localAddress: local.address, localPort: local.port };
  return remote.port === 0 ? socket : { ...socket, remoteAddress: remote.address, remotePort: remote.port };
}

/** Columns are Num RefCount Protocol Flags Type St Inode Path (proc_pid_net(5)). */
function parseUnixLine(fd: number, text: string): UnixSocket | undefined {
  const listens = (Number.parseInt(word(text, 3), 16) & SO_ACCEPTCON) !== 0;
  const state = listens ? 'listen' : UNIX_STATES[Number.parseInt(word(text, 5), 16)];
  if (state === undefined) return undefined;
  const start = wordStart(text, UNIX_INODE + 1);
  // Blanks at its start belong to the path: one blank separates it from the inode.
  const inodeEnd = text.indexOf(' ', wordStart(text, UNIX_INODE));
  const path = start < 0 || inodeEnd < 0 ? '' : text.slice(inodeEnd + 1);
  return path === '' ? { fd, protocol: 'unix', state } : { fd, protocol: 'unix', state, path };
}

const LINE_START = / *[\dA-Fa-f]+: /y;
const INTERNET_PROTOCOLS = ['tcp', 'tcp6', 'udp', 'udp6'] as const;
const INTERNET_INODE = 9;
const UNIX_INODE = 6;
const ESTABLISHED = 1;
const SO_ACCEPTCON = 0x1_0000;

/** By the kernel's number (net/tcp_states.h). */
const TCP_STATES = [
  undefined,
  'established',
  'syn_sent',
  'syn_recv',
  'fin_wait1',
  'fin_wait2',
  'time_wait',
  'close',
  'close_wait',
  'last_ack',
  'listen',
  'closing',
  'syn_recv',
] as const;

/** By the kernel's number (socket_state in linux/net.h). */
const UNIX_STATES = [undefined, 'unconnected', 'connecting', 'established', 'disconnecting'] as const;

/** The word with this index, from 0; '' if there are fewer words. */
function word(text: string, index: number): string {
  const start = wordStart(text, index);
  if (start < 0) return '';
  const end = text.indexOf(' ', start);
  return text.slice(start, end < 0 ? undefined : end);
}

/** The start of the word with this index; -1 if there are fewer words. A loop: a regular expression takes ten times as long. */
function wordStart(text: string, index: number): number {
  let left = index;
  let inside = false;
  for (let at = 0; at < text.length; at += 1) {
    const blank = text.charCodeAt(at) === BLANK;
    if (!blank && !inside && left-- === 0) return at;
    inside = !blank;
  }
  return -1;
}

const BLANK = 32;
