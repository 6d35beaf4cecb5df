import process from 'node:process';
import type { RootProcess } from '../../../core/program/roots.ts';
import { ProcessLook, type SeenProcess } from '../../../system/proc/look.ts';
import { hasEnded } from '../../../system/proc/parse.ts';
import { ancestorsOf } from '../../../system/proc/process-tree.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { ServiceManager } from '../../../system/systemd/service-manager.ts';

/**
 * Where the main process of a unit listens, if the unit does not stop what that leaves behind (KillMode=process, none): what
 * still listens there then prevents its next start. [] for any other unit, and if systemd does not answer. Never rejects.
 */
export async function listensIn(
  table: ProcessTable,
  services: ServiceManager,
  { pid, unit }: { readonly pid: number; readonly unit: string },
  signal: AbortSignal,
): Promise<string[]> {
  const answer = await services.killMode(unit, signal);
  const isLeft = answer.kind === 'known' && LEAVING.includes(answer.killMode);
  return isLeft ? listenersOf(table, pid).slice(0, MOST_LISTENERS) : [];
}

const LEAVING: readonly string[] = ['process', 'none'];
const MOST_LISTENERS = 64;

/**
 * What an ended main process left behind in its unit and what listens where that did (`root.listens`): that has to be stopped
 * before the unit is started. Everything else there is meant to live on: sessions of sshd, containers, machines. PID 1's own
 * sockets do not count: it passes them to the next main process.
 */
export async function restInTheWay(table: ProcessTable, root: RootProcess): Promise<SeenProcess[]> {
  const { listens = [], unit } = root;
  if (unit === undefined || listens.length === 0) return [];
  const { all } = await ProcessLook.take(table);
  const own = ancestorsOf(process.pid, all);
  const handed = listenersOf(table, 1);
  const needed = listens.filter((listener) => !handed.includes(listener));
  return [...all.values()].filter((seen) => {
    if (seen.kernelThread || hasEnded(seen) || seen.startTime < root.startTime || own.has(seen.pid)) return false;
    if (table.read(seen.pid, ['unit'])?.unit !== unit) return false;
    return listenersOf(table, seen.pid).some((listener) => needed.includes(listener));
  });
}

/** `tcp 0.0.0.0:80` for each socket on which a process accepts connections. */
function listenersOf(table: ProcessTable, pid: number): string[] {
  const sockets = table.read(pid, ['sockets'])?.sockets ?? [];
  return sockets.flatMap((socket) =>
    socket.protocol !== 'unix' && socket.state === 'listen'
      ? [`${socket.protocol} ${socket.localAddress}:${socket.localPort}`]
      : [],
  );
}
