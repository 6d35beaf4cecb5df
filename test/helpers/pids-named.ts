import { ProcessTable } from '../../src/system/proc/table.ts';

/** The living processes of exactly this name (comm, 15 bytes at most), by ascending pid. */
export function pidsNamed(name: string): number[] {
  const all = new ProcessTable().list(['name', 'state']);
  return all.filter((process) => process.name === name && process.state !== 'Z').map(({ pid }) => pid);
}
