import { readdirSync, readlinkSync } from 'node:fs';
import { readBeginning } from './read-beginning.ts';

/** A process that has to do with a folder. */
export interface Leftover {
  readonly pid: number;
  /** Its command line, for people. */
  readonly command: string;
}

/**
 * The processes that have to do with `dir`: it stands in their command line or environment, or is where they run, live or write
 * to. Ourselves and zombies left out.
 */
export function leftovers(dir: string): Leftover[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid) => {
    if (pid === process.pid) return [];
    const command = attempt(() => readBeginning(`/proc/${pid}/cmdline`)) ?? '';
    // A zombie has no command line.
    if (command === '') return [];
    const environment = attempt(() => readBeginning(`/proc/${pid}/environ`)) ?? '';
    const links = ['exe', 'cwd', 'fd/1', 'fd/2'].map((name) => attempt(() => readlinkSync(`/proc/${pid}/${name}`)) ?? '');
    const own = [command, environment, ...links].some((text) => text.includes(dir));
    return own ? [{ pid, command: command.replaceAll('\0', ' ').trim() }] : [];
  });
}

/** Kills them; for what a failed test left behind. */
export function killLeftovers(dir: string): void {
  for (const { pid } of leftovers(dir)) attempt(() => process.kill(pid, 'SIGKILL'));
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
