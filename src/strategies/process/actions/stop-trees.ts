// Stops whole trees of processes.
import { constants } from 'node:os';
import type { Clock } from '../../../core/clock.ts';
import { configuredSeconds } from '../../../core/text/duration.ts';
import { printable } from '../../../core/text/printable.ts';
import { ancestorsOf, childrenOf } from '../../../system/proc/process-tree.ts';
import { signalProcess } from '../../../system/proc/signal.ts';
import type { ProcessIdentity, ProcessTable } from '../../../system/proc/table.ts';
import type { ServiceManager } from '../../../system/systemd/service-manager.ts';
import type { ProcessTree } from '../identity/identity.ts';

/** How stopping ended. `processes`: how many there were; `killed`: how many of them were ended by SIGKILL. */
export type StopResult =
  | { readonly kind: 'stopped'; readonly processes: number; readonly killed: number }
  /** `final`: as in RestartOutcome. */
  | { readonly kind: 'failed'; readonly reason: string; readonly final?: boolean };

/** What stopping needs. */
interface StopParts {
  readonly table: ProcessTable;
  readonly clock: Clock;
  readonly services: Pick<ServiceManager, 'available' | 'killMode'>;
  /** This process and its ancestors are never signalled. */
  readonly ownPid: number;
}

/**
 * Stops whole trees: sends `signal` (undefined: they were asked to end already) to every process, SIGCONT to the suspended
 * ones, and after `timeoutMs` SIGKILL to those that are left, unless the unit of one of them forbids that signal. Processes
 * that they start in the meantime are included, even after setsid(2). Each signal goes to the very process that was seen (pid
 * and start time). Never rejects.
 */
export async function stopTrees(
  trees: readonly ProcessTree[],
  signal: number | undefined,
  timeoutMs: number,
  parts: StopParts,
  abort: AbortSignal,
): Promise<StopResult> {
  const family = new Family(parts, trees);
  let current = signal;
  let deadline = parts.clock.monotonicMs() + timeoutMs;
  let killed = 0;
  const banned = signal === SIGKILL ? await killBan(family.members(), 'is not stopped', parts, abort) : undefined;
  if (banned !== undefined) return { kind: 'failed', reason: banned };
  let denied = family.signal(family.members(), current);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const isDead = family.members().length === 0;
    const fresh = await family.adopt();
    denied ??= family.signal(fresh ?? [], current);
    // A process that was dead before that look has started none since; one that died during it may have.
    if (isDead && fresh?.length === 0) return { kind: 'stopped', processes: family.size, killed };
    if (denied !== undefined) return { kind: 'failed', reason: `not permitted to signal process ${denied}` };
    if (abort.aborted) return { kind: 'failed', reason: 'aborted while its processes were being stopped' };
    if (parts.clock.monotonicMs() >= deadline) {
      if (fresh === undefined)
        return { kind: 'failed', reason: 'whether its processes have ended is not known: /proc cannot be read' };
      const left = family.members();
      // A dead process holds nothing any more, even if one of its threads is still traced.
      const isDying = ({ pid }: ProcessIdentity): boolean => parts.table.read(pid, ['state'])?.state === 'Z';
      if (current === SIGKILL && left.every(isDying)) return { kind: 'stopped', processes: family.size, killed };
      if (current === SIGKILL) return { kind: 'failed', reason: describeSurvivors(left, parts.table) };
      const ban = await killBan(left, 'does not end', parts, abort);
      if (ban !== undefined) return { kind: 'failed', reason: ban };
      current = SIGKILL;
      killed = left.length;
      deadline = parts.clock.monotonicMs() + KILL_WAIT_MS;
      denied = family.signal(left, current);
      pauseMs = FIRST_PAUSE_MS;
    }
    await parts.clock.sleep(pauseMs, abort);
  }
}

const { SIGKILL, SIGCONT } = constants.signals;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;
/** The kernel ends a killed process at once, unless it sleeps uninterruptibly in the kernel. */
const KILL_WAIT_MS = 5000;

/** Why SIGKILL may not be sent to all of them, in one line: one is in a unit with SendSIGKILL=no. Undefined if it may. */
async function killBan(
  left: readonly ProcessIdentity[],
  stands: string,
  { table, services }: StopParts,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!services.available) return undefined;
  const units = Map.groupBy(left, ({ pid }) => table.read(pid, ['unit'])?.unit);
  for (const [unit, [one]] of units) {
    if (one === undefined || !unit?.endsWith('.service')) continue;
    const killMode = await services.killMode(unit, signal);
    const what = `process ${one.pid} ${stands}`;
    if (killMode.kind === 'failed') return `${what}: systemd does not say whether ${unit} forbids SIGKILL: ${killMode.reason}`;
    if (killMode.forbidsSigkill) return `${what}: SendSIGKILL=no of ${unit} forbids SIGKILL`;
  }
  return undefined;
}

/** The processes that are being stopped, including those that appear in the meantime. */
class Family {
  readonly #table: ProcessTable;
  readonly #ownPid: number;
  readonly #seen = new Map<string, ProcessIdentity>();
  readonly #begunTicks: number;

  constructor({ table, ownPid }: StopParts, trees: readonly ProcessTree[]) {
    this.#table = table;
    this.#ownPid = ownPid;
    this.#begunTicks = Math.floor(table.uptimeMs() / 10);
    for (const { root, descendants } of trees)
      for (const process of [root, ...descendants]) this.#seen.set(key(process), process);
  }

  /** How many there have been. */
  get size(): number {
    return this.#seen.size;
  }

  /** Those that still live. */
  members(): ProcessIdentity[] {
    return [...this.#seen.values()].filter((member) => this.#table.exists(member));
  }

  /** Finds processes that they have started since, adds them and returns them; undefined if nothing can be seen. */
  async adopt(): Promise<ProcessIdentity[] | undefined> {
    const processes = await this.#table.survey(['ppid', 'pgid', 'startTime', 'kernelThread']);
    // No descriptor may be left to read by.
    if (processes.length === 0 && this.#table.isUnreadable()) return undefined;
    const all = new Map(processes.map((process) => [process.pid, process]));
    const own = ancestorsOf(this.#ownPid, all);
    const children = childrenOf(all);
    const members = [...this.#seen.values()];
    const isNobodyElse = ({ pid, startTime }: ProcessIdentity): boolean => (all.get(pid)?.startTime ?? startTime) === startTime;
    // A child whose parent has died in between is no longer its descendant, but it is still in its parent's process group, and
    // while that group has members no other process gets its number.
    const groups = new Set(members.filter(isNobodyElse).map(({ pid }) => pid));
    const orphans = [...all.values()].filter(({ pgid, startTime }) => startTime >= this.#begunTicks && groups.has(pgid));
    const adopted = new Set<ProcessIdentity>(orphans);
    for (const parent of members.filter(isNobodyElse)) {
      for (const child of children.get(parent.pid) ?? []) adopted.add(child);
    }
    for (const parent of adopted) for (const child of children.get(parent.pid) ?? []) adopted.add(child);
    const fresh = [...adopted].filter((process) => !this.#seen.has(key(process)) && !own.has(process.pid));
    for (const process of fresh) this.#seen.set(key(process), process);
    return fresh;
  }

  /** Signals them; returns the pid of one that we are not permitted to signal. */
  signal(members: readonly ProcessIdentity[], signal: number | undefined): number | undefined {
    if (signal === undefined) return undefined;
    for (const member of members) {
      if (signalProcess(this.#table, member, signal) === 'denied') return member.pid;
      // A suspended process handles no signal but SIGKILL before it continues.
      if (this.#table.read(member.pid, ['state'])?.state === 'T') signalProcess(this.#table, member, SIGCONT);
    }
    return undefined;
  }
}

function key({ pid, startTime }: ProcessIdentity): string {
  return `${pid} ${startTime}`;
}

function describeSurvivors(left: readonly ProcessIdentity[], table: ProcessTable): string {
  const shown = left.slice(0, SHOWN_PROCESSES).map(({ pid }) => {
    const now = table.read(pid, ['name', 'state']);
    const state = now?.state === 'D' ? 'uninterruptible sleep in the kernel, state D' : `state ${now?.state ?? 'unknown'}`;
    return `process ${pid} (${printable(now?.name ?? '')}, ${state})`;
  });
  const rest = left.length > shown.length ? ` and ${left.length - shown.length} more` : '';
  return `${shown.join(', ')}${rest} still there ${configuredSeconds(KILL_WAIT_MS)} after SIGKILL`;
}

const SHOWN_PROCESSES = 5;
