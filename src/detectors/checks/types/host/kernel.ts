// The measures of a host that the kernel keeps itself.
import { readFileSync } from 'node:fs';
import { counted } from '../../../../core/text/counted.ts';
import { numberAfter, parseCpuList } from '../../../../system/proc/counters.ts';
import type { Finding } from '../../check.ts';

/** Reads a small file of the kernel; throws if it is not there. Tests replace it. */
export type ReadKernelFile = (path: string) => string;

/** The real files. */
export const readKernelFile: ReadKernelFile = (path) => readFileSync(path, 'utf8');

/** A measure that this kernel does not have, and why. */
export interface Missing {
  readonly kind: 'missing';
  readonly reason: string;
}

/** `load_per_core`: the load average of the last minute, by CPU that is online, is not above `limit`. */
export function judgeLoad(read: ReadKernelFile, limit: number): Finding {
  const load = Number(read('/proc/loadavg').split(' ', 1)[0]);
  const cpus = parseCpuList(read('/sys/devices/system/cpu/online'))?.length ?? 0;
  if (!Number.isFinite(load) || cpus === 0) return { kind: 'unknown', reason: 'the load or the number of CPUs cannot be read' };
  const perCore = load / cpus;
  if (perCore <= limit) return { kind: 'ok' };
  const words = `load ${load} on ${counted(cpus, 'CPU', 'CPUs')}, ${perCore.toFixed(1)} for each`;
  return { kind: 'failing', reason: `${words} (expected at most ${limit})` };
}

/** `swap_percent`: not more of the swap space is used. A machine without swap uses none. */
export function judgeSwap(read: ReadKernelFile, limit: number): Finding {
  const text = read('/proc/meminfo');
  const [total, free] = [numberAfter(text, 'SwapTotal:'), numberAfter(text, 'SwapFree:')];
  if (total === undefined || free === undefined) return { kind: 'unknown', reason: '/proc/meminfo does not say it' };
  return total === 0 ? { kind: 'ok' } : percent(((total - free) / total) * 100, limit, 'of the swap space is used');
}

/** `memory_pressure`: something waited for memory in not more of the last minute. */
export function judgeMemoryPressure(read: ReadKernelFile, limit: number): Finding | Missing {
  let text: string;
  try {
    text = read('/proc/pressure/memory');
  } catch {
    return { kind: 'missing', reason: 'the kernel does not count it (it does from Linux 4.20 on, on some systems with psi=1)' };
  }
  const waited = Number(/^some .*\bavg60=([\d.]+)/m.exec(text)?.[1]);
  if (Number.isNaN(waited)) return { kind: 'unknown', reason: '/proc/pressure/memory does not say it' };
  return percent(waited, limit, 'of the last minute something waited for memory');
}

/** `open_files_percent`: not more of the files that can be open at once are. */
export function judgeOpenFiles(read: ReadKernelFile, limit: number): Finding {
  const [open, , most] = read('/proc/sys/fs/file-nr').trim().split(/\s+/).map(Number);
  if (open === undefined || most === undefined) return { kind: 'unknown', reason: '/proc/sys/fs/file-nr does not say it' };
  return percent((open / most) * 100, limit, `of the ${most} files that can be open at once are`);
}

/** The number of out-of-memory kills since boot; undefined if the kernel does not count them (before Linux 4.13). */
export function oomKillsOf(read: ReadKernelFile): number | undefined {
  return numberAfter(read('/proc/vmstat'), 'oom_kill ');
}

function percent(found: number, limit: number, what: string): Finding {
  if (found <= limit) return { kind: 'ok' };
  return { kind: 'failing', reason: `${found.toFixed(1)} % ${what} (expected at most ${limit} %)` };
}
