import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The state of each thread, by its letter (proc_pid_stat(5)). */
export function threadStates(pid: number): string[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).map((task) => /\) (\S)/.exec(readFileSync(join(tasks, task, 'stat'), 'utf8'))?.[1] ?? '');
}
