// Finds where the processes of a check listen.
import { isIPv4 } from 'node:net';
import { plainAddress } from '../../../../core/text/host-port.ts';
import { hasEnded } from '../../../../system/proc/parse.ts';
import type { ProcessSocket } from '../../../../system/proc/sockets.ts';
import type { ProcessIdentity, ProcessTable } from '../../../../system/proc/table.ts';
import type { ListenAddress } from './options.ts';
import { unreadOf } from './reading.ts';

/** Where none of the processes was seen to listen. */
export interface MissingListeners {
  readonly missing: readonly ListenAddress[];
  /** Processes that may listen there, because their sockets cannot be read, or not all of them. */
  readonly unread: readonly (ProcessIdentity & { readonly name: string })[];
}

/**
 * Finds out which of the addresses none of these processes listens on. `found`: those that are most likely to; the rest of the family
 * is only read if that is not enough.
 */
export async function missingListeners(
  table: Pick<ProcessTable, 'survey' | 'bytes' | 'exists'>,
  found: readonly ProcessIdentity[],
  family: readonly ProcessIdentity[],
  addresses: readonly ListenAddress[],
): Promise<MissingListeners> {
  const roots = new Set(found.map(({ pid }) => pid));
  let missing = addresses;
  const unread: (ProcessIdentity & { readonly name: string })[] = [];
  for (const part of [family.filter(({ pid }) => roots.has(pid)), family.filter(({ pid }) => !roots.has(pid))]) {
    if (missing.length === 0) break;
    const startTimes = new Map(part.map(({ pid, startTime }) => [pid, startTime]));
    await table.survey(['name', 'startTime', 'state', 'threads', 'sockets', 'fdCount'], {
      pids: [...startTimes.keys()],
      visit: ({ pid, startTime, name, state, threads, sockets, fdCount = Number.POSITIVE_INFINITY }) => {
        if (startTime !== startTimes.get(pid) || hasEnded({ state, threads })) return;
        if (sockets !== undefined) missing = missing.filter((address) => !sockets.some((socket) => listensOn(socket, address)));
        const isReadable = fdCount <= MOST_READ && (!roots.has(pid) || hasSocketTable(table, pid));
        if (sockets === undefined || !isReadable) unread.push({ pid, startTime, name });
      },
      keep: ({ pid, startTime, name, state, threads }) => ({ pid, startTime, name, state, threads }),
    });
  }
  return { missing, unread: missing.length === 0 ? [] : unreadOf(table, unread) };
}

function listensOn(socket: ProcessSocket, { host, port }: ListenAddress): boolean {
  if (socket.protocol === 'unix' || !socket.protocol.startsWith('tcp')) return false;
  if (socket.state !== 'listen' || socket.localPort !== port) return false;
  const local = plainAddress(socket.localAddress);
  // A socket of :: accepts IPv4 too, unless its program has switched that off, which /proc does not show.
  return host === undefined || local === host || local === '::' || (local === '0.0.0.0' && isIPv4(host));
}

/** Without it, sockets would seem not to listen. Those found are asked: their descendants nearly always have the same one. */
function hasSocketTable(table: Pick<ProcessTable, 'bytes'>, pid: number): boolean {
  return table.bytes(pid, 'net/tcp', 1) !== undefined;
}

/** Of a process with more descriptors, the table shows the sockets of the lowest ones. */
const MOST_READ = 4096;
