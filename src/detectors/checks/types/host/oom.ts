// The out-of-memory kills of a host.
import { counted } from '../../../../core/text/counted.ts';
import { nameWords } from '../../../../core/text/printable.ts';
import { execute } from '../../../../system/spawn/command.ts';
import type { Finding } from '../../check.ts';
import { type Missing, oomKillsOf, type ReadKernelFile } from './kernel.ts';

/** Names the processes that the kernel has killed for want of memory since then; [] if that is not known. Never rejects. */
type FindVictims = (since: Date, timeoutMs: number, signal: AbortSignal) => Promise<readonly string[]>;

/** Counts the kills from one look to the next: each is an event, and reported once. */
export class OomKills {
  readonly #read: ReadKernelFile;
  readonly #findVictims: FindVictims;
  #known: { readonly count: number; readonly at: Date } | undefined;

  constructor(read: ReadKernelFile, findVictims: FindVictims) {
    this.#read = read;
    this.#findVictims = findVictims;
  }

  /** What was killed since the last look that counts; `isAside`: this one does not. */
  async look(now: Date, timeoutMs: number, signal: AbortSignal, isAside = false): Promise<Finding | Missing> {
    const count = oomKillsOf(this.#read);
    if (count === undefined) return { kind: 'missing', reason: 'the kernel does not count them (it does from Linux 4.13 on)' };
    const before = this.#known;
    if (!isAside) this.#known = { count, at: now };
    const kills = before === undefined ? 0 : count - before.count;
    if (before === undefined || kills <= 0) return { kind: 'ok' };
    const victims = await this.#findVictims(before.at, timeoutMs, signal);
    const words = victims.length === 0 ? 'victim not known' : victims.slice(0, MOST_NAMED).join(', ');
    const reason = `the kernel has killed ${counted(kills, 'process', 'processes')} for want of memory: ${words}`;
    return { kind: 'failing', reason, isEvent: true };
  }
}

/** Asks the journal of the kernel, which only root and the kernel write. */
export const victimsOfJournal: FindVictims = async (since, timeoutMs, signal) => {
  // A second earlier: the journal's times are of when it read a message.
  const from = `@${Math.floor(since.getTime() / 1000) - 1}`;
  const argv = ['--dmesg', '--quiet', '--no-pager', '--output=cat', '--lines=2000', `--since=${from}`];
  const result = await execute('journalctl', argv, { timeoutMs, signal, environment: { LC_ALL: 'C' } });
  return result.kind === 'exited' ? victimsIn(result.stdout) : [];
};

/** The victims that these messages of the kernel name: `mysqld (pid 1234)`, each once. */
export function victimsIn(messages: string): string[] {
  const victims = new Map<string, string>();
  const line = /Killed process (\d{1,10})(?:, UID \d{1,10},)? \((.{1,64}?)\),? (?:total-vm|UID)/g;
  for (const [, pid = '', name = ''] of messages.matchAll(line)) victims.set(pid, `${nameWords(name)} (pid ${pid})`);
  return [...victims.values()];
}

const MOST_NAMED = 5;
