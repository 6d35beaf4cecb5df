// Tells processes of our own commands apart from programs.
import process from 'node:process';
import type { ProcessIdentity, ProcessTable } from '../../../system/proc/table.ts';
import { isRunUnit } from '../../../system/systemd/unit/name.ts';
import type { ProcessTree } from '../identity/identity.ts';

/** Whether the process was started by one of our commands; then a look in passing must not take it for the program itself. */
export async function isFromCommand(table: ProcessTable, root: ProcessIdentity): Promise<boolean | 'unread'> {
  const { having, unread } = await table.memory.withVariable([root], 'MONITOR_ATTEMPT=');
  return unread.length > 0 ? 'unread' : having.length > 0;
}

/**
 * Whether it is one of our commands that is under way, such as a health check `nginx -t`: that is not a life of the program. A
 * process older than `limitMs`, which is the time that a command may take, was left behind by one.
 */
export async function isCommandUnderWay(table: ProcessTable, root: ProcessIdentity, limitMs: number): Promise<boolean> {
  const { pid } = root;
  if (table.ageMs(root) > limitMs || (await isFromCommand(table, root)) === false) return false;
  if (isRunUnit(table.read(pid, ['unit'])?.unit ?? '')) return true;
  let above: number | undefined = pid;
  for (let i = 0; i < HIGHEST && above !== undefined && above !== process.pid; i++) above = table.read(above, ['ppid'])?.ppid;
  return above === process.pid;
}

/** False for one of our commands under way that only has the program's name; `limitMs`: as in isCommandUnderWay. */
export async function isLife(table: ProcessTable, { by, root }: ProcessTree, limitMs: number): Promise<boolean> {
  return by === 'start' || !(await isCommandUnderWay(table, root, limitMs));
}

/** A shell or a wrapper may lie in between. */
const HIGHEST = 8;
