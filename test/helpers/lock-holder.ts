import { lookForHolder } from '../../src/state/holder.ts';

/** The pid of the process that runs on that state_dir; undefined if there is none. */
export function holderOf(dir: string): number | undefined {
  const holder = lookForHolder(dir);
  return holder.kind === 'runs' ? holder.pid : undefined;
}
