// The sockets of a host that listen.
import { counted } from '../../../../core/text/counted.ts';
import { hostPortName } from '../../../../core/text/host-port.ts';
import { nameWords } from '../../../../core/text/printable.ts';
import { calledName } from '../../../../system/proc/called-names.ts';
import { hasEnded } from '../../../../system/proc/parse.ts';
import type { ProcessInfo, ProcessTable } from '../../../../system/proc/table.ts';
import type { Finding } from '../../check.ts';
import { unreadOf } from '../process/reading.ts';
import type { AllowedListener } from './options.ts';
import { failing, MOST_NAMED } from './processes.ts';

type SampledListener = ProcessInfo<'name' | 'startTime' | 'state' | 'threads' | 'kernelThread'>;

/** `listeners`: no other program listens (TCP) than those that are allowed on their ports. */
export async function judgeListeners(
  table: ProcessTable,
  allowed: readonly AllowedListener[],
  signal: AbortSignal,
): Promise<Finding> {
  const ports = new Map<number, Set<string>>();
  for (const { port, program } of allowed) ports.set(port, (ports.get(port) ?? new Set()).add(calledName(program)));
  /** By where it listens: the programs that hold it, and whether one of them may. */
  const found = new Map<string, { readonly programs: Set<string>; isAllowed: boolean }>();
  const unread: SampledListener[] = [];
  await table.survey(['name', 'startTime', 'state', 'threads', 'kernelThread', 'sockets'], {
    visit: ({ sockets, ...process }) => {
      const { name } = process;
      // Ends the survey: one user can have so many sockets that it takes minutes.
      if (signal.aborted) throw new Error('the sockets could not be read in time');
      if (process.kernelThread || hasEnded(process)) return;
      if (sockets === undefined) unread.push(process);
      for (const socket of sockets ?? []) {
        if (socket.protocol === 'unix' || !socket.protocol.startsWith('tcp') || socket.state !== 'listen') continue;
        const where = hostPortName({ host: socket.localAddress, port: socket.localPort });
        const one = found.get(where) ?? { programs: new Set(), isAllowed: false };
        one.programs.add(name);
        one.isAllowed ||= ports.get(socket.localPort)?.has(calledName(name)) ?? false;
        found.set(where, one);
      }
    },
    keep: ({ sockets: _sockets, ...process }) => process,
  });
  const others = [...found].filter(([, { isAllowed }]) => !isAllowed);
  if (others.length > 0) {
    const words = others
      .slice(0, MOST_NAMED)
      .map(([where, { programs }]) => `${where} (${[...programs].map(nameWords).join(', ')})`);
    return failing(`${counted(others.length, 'other socket listens', 'other sockets listen')}`, words, others.length);
  }
  const hidden = unreadOf(table, unread).length;
  return hidden === 0
    ? { kind: 'ok' }
    : { kind: 'unknown', reason: `the sockets of ${counted(hidden, 'process', 'processes')} cannot be read` };
}
