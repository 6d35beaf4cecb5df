import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process and its threads have had, milliseconds (schedstat counts nanoseconds on the CPU). */
export function cpuMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
  return ns.reduce((sum, n) => sum + n, 0) / 1e6;
}

/** Resident memory of a process, MB. */
export function residentMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

/** Children that a process has at this moment. */
export function childrenOf(pid: number): string[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean));
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** One line of the report: what was measured, what came out, what it is held against and whether that was reached. */
export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** For people: `ideal 2.5 s`, `at most 2 ms`. */
  readonly against: string;
  readonly reached: boolean | undefined;
}

/** The report as a table for people. */
export function table(rows: readonly BenchRow[]): string {
  const cells = rows.map(({ what, value, unit, against, reached }) => [
    what,
    `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`,
    against,
    reached === undefined ? '' : reached ? 'reached' : 'MISSED',
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => row.map((cell, i) => (i === 1 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ').trimEnd()).join('\n');
}
