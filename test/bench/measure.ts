import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process and its threads have had, milliseconds (schedstat counts nanoseconds on the CPU). */
export function cpuMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
  return ns.reduce((sum, n) => sum + n, 0) / 1e6;
}

/**
 * CPU time of the children that a process has waited for, and of theirs, milliseconds in steps of 10 (proc_pid_stat(5), cutime
 * and cstime).
 */
export function childrenCpuMs(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** Resident memory of a process, MB. */
export function residentMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

/** Pages of a process that are nobody's file, resident, MB (proc_pid_smaps(5), Anonymous). */
export function anonymousMb(pid: number): number {
  const line = /^Anonymous:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

/** How often the threads of a process have gone to sleep so far: at rest each wake-up ends so (proc_pid_status(5)). */
export function sleeps(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const counts = tasks.map((task) =>
    /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')),
  );
  return counts.reduce((sum, count) => sum + Number(count?.[1] ?? 0), 0);
}

/** Children that a process has at this moment. */
export function childrenOf(pid: number): string[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean));
}

/**
 * Page faults of the children that a process has waited for (proc_pid_stat(5), cminflt): not one of them ends without, so where
 * this number stands still and there are no children now, none was started meanwhile.
 */
export function childFaults(pid: number): number {
  return Number(statFields(pid)[8]);
}

/** From the third on: of the second, the name, anything may be part. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
