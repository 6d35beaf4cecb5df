import { valueAfter } from '../proc/counters.ts';
import type { ProcessTable } from '../proc/table.ts';

/**
 * Says in one line why a process has fewer rights than `starter` would give its successor; undefined if it has as many. A
 * confined process chooses its own command line: starting that again outside of its confinement would set it free. `starter`:
 * the process that executes what is launched here, PID 1 or the daemon. What cannot be read counts as confined. Source:
 * namespaces(7), capabilities(7), proc_pid_status(5), proc_pid_attr(5).
 */
export function confinementOf(table: ProcessTable, pid: number, starter: number): string | undefined {
  return fewerRights(table, pid, starter) ?? otherNamespaces(table, pid, starter) ?? otherLabel(table, pid, starter);
}

function fewerRights(table: ProcessTable, pid: number, starter: number): string | undefined {
  const [its, starters] = [pid, starter].map((number) => table.bytes(number, 'status', MAX_STATUS)?.toString('latin1'));
  if (its === undefined || starters === undefined) return 'its rights cannot be read';
  const isRoot = valueAfter(its, 'Uid:')?.split(/\s+/).includes('0') ?? true;
  if (lacks(its, starters, 'CapBnd:')) return 'it is confined: its capabilities are bounded';
  // A user's process has no capabilities of its own, whoever starts it.
  if (isRoot && lacks(its, starters, 'CapPrm:')) return 'it is confined: it is root without all capabilities';
  const isBound = (field: string): boolean =>
    !['0', undefined, valueAfter(starters, field)?.trim()].includes(valueAfter(its, field)?.trim());
  if (isBound('NoNewPrivs:')) return 'it is confined: it may not gain privileges (NoNewPrivs)';
  // If it has as many filters as the starter, they are the starter's own. A kernel that does not count them only reports the
  // mode.
  if (isBound('Seccomp:') || isBound('Seccomp_filters:')) return 'it is confined: its system calls are filtered (seccomp)';
  return undefined;
}

const MAX_STATUS = 16 * 1024;

/** True if the starter has a capability in this set that the process does not have. */
function lacks(its: string, starters: string, field: string): boolean {
  const [own, full] = [its, starters].map((text) => /^\s*([0-9a-f]{1,32})$/.exec(valueAfter(text, field) ?? '')?.[1]);
  return own === undefined || full === undefined || (BigInt(`0x${full}`) & ~BigInt(`0x${own}`)) !== 0n;
}

function otherNamespaces(table: ProcessTable, pid: number, starter: number): string | undefined {
  const [its, starters] = [pid, starter].map((number) => table.links(number, 'ns'));
  if (its === undefined || starters === undefined) return 'its namespaces cannot be read';
  const own = [...starters].filter(([name, target]) => !name.endsWith('_for_children') && its.get(name) !== target);
  if (own.length === 0) return undefined;
  return own.some(([name]) => !its.has(name))
    ? 'its namespaces cannot be read'
    : `it is confined: it has namespaces of its own (${own.map(([name]) => name).join(', ')})`;
}

function otherLabel(table: ProcessTable, pid: number, starter: number): string | undefined {
  const [its, starters] = [pid, starter].map(
    (number) =>
      table
        .bytes(number, 'attr/current', MAX_LABEL)
        ?.toString('latin1')
        .replace(/[\0\n]+$/, '') ?? '',
  ) as [string, string];
  // If there is no security module, the file exists but cannot be read.
  if (its === '' || its === starters || its === 'unconfined') return undefined;
  const type = its.split(':')[2] ?? '';
  return FREE_TYPES.includes(type) ? undefined : `it is confined: its security label is ${its}`;
}

const MAX_LABEL = 4096;
/** The types of SELinux that PID 1 and an administrator's shell give to what they start. None of them is confined. */
const FREE_TYPES: readonly string[] = ['unconfined_t', 'unconfined_service_t', 'initrc_t'];
