import process from 'node:process';
import { hasEnded } from '../proc/parse.ts';
import { type ProcessInfo, ProcessTable } from '../proc/table.ts';
import type { LaunchResult } from './launcher.ts';

/**
 * What a start leaves behind when it has ended, even with an emptied environment and outside of its session and control group:
 * su(1) and similar programs put what they run into a new session, and logind puts that into a scope. Descendants are recorded
 * while the start runs. A process that ran for less than a millisecond or two may be missed, and with it what it left behind.
 */
export class Offspring {
  readonly #top: () => readonly number[];
  readonly #table: ProcessTable;
  /** Start times by pid, of all processes seen and of the leaders of their sessions. */
  readonly #seen = new Map<number, number>();
  #living: readonly number[] = [];
  readonly #scopes = new Set<string>();
  readonly #ownGroup: string | undefined;
  readonly #untilMs = performance.now() + PATIENCE_MS;
  #hasSwitched = false;
  #timer: NodeJS.Timeout | undefined;
  #onLook: (() => void) | undefined;

  /**
   * Looks for descendants of `top` until `stop`, or for 10 s. `leader`: a child of ours that leads a session of its own and may
   * have ended already.
   */
  constructor(top: () => readonly number[], leader?: number, table = new ProcessTable()) {
    this.#top = top;
    this.#table = table;
    if (leader !== undefined) {
      this.#seen.set(leader, table.read(leader, ['startTime'])?.startTime ?? 0);
      this.#living = [leader];
    }
    this.#ownGroup = table.read(process.pid, ['cgroup'])?.cgroup;
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** True if it was seen to run su(1) or a similar program. */
  get hasSwitched(): boolean {
    return this.#hasSwitched;
  }

  /**
   * Resolves when `pid`, which was seen among the descendants, has ended. Never resolves if that takes longer than 10 s. From
   * now on it does not keep the daemon's process alive.
   */
  ended(pid: number): Promise<void> {
    this.#timer?.unref();
    return new Promise((resolve) => {
      this.#onLook = () => {
        if (this.#living.includes(pid)) return;
        this.stop();
        resolve();
      };
    });
  }

  /**
   * Returns the topmost pids of what still runs of it outside of `unit`, and of processes for which `holds` says that they hold
   * what only this start was given. Never rejects.
   */
  async left(unit?: string, holds: (pid: number) => boolean = () => false): Promise<number[]> {
    const all = new Map((await this.#table.survey(LEFT_FIELDS)).map((seen) => [seen.pid, seen]));
    const isOutside = ({ pid }: Left): boolean => unit === undefined || this.#table.read(pid, ['unit'])?.unit !== unit;
    const isOfIt = (seen: Left): boolean => this.#isOfIt(seen, all) || holds(seen.pid);
    const isCandidate = (seen: Left): boolean => seen.pid !== process.pid && !seen.kernelThread && !hasEnded(seen);
    const living = [...all.values()].filter((seen) => isCandidate(seen) && isOfIt(seen) && isOutside(seen));
    const pids = new Set(living.map(({ pid }) => pid));
    return living.flatMap(({ pid, ppid }) => (pids.has(ppid) ? [] : [pid]));
  }

  #isOfIt({ pid, sid, startTime, cgroup = '' }: Left, all: ReadonlyMap<number, Left>): boolean {
    if (this.#seen.get(pid) === startTime || this.#scopes.has(cgroup)) return true;
    // As long as a session has members, no new process gets its number.
    const led = this.#seen.get(sid);
    const leader = all.get(sid);
    return led !== undefined && startTime >= led && (leader === undefined || leader.startTime === led);
  }

  #look(): void {
    let isSwitching = false;
    const living: number[] = [];
    const pids = new Set([...this.#living, ...this.#top()]);
    for (const pid of pids) {
      if (living.length === MOST) break;
      const now = this.#table.read(pid, SEEN_FIELDS);
      const known = this.#seen.get(pid);
      if (now === undefined || hasEnded(now) || (known !== undefined && known !== now.startTime)) continue;
      this.#seen.set(pid, now.startTime);
      living.push(pid);
      isSwitching ||= SWITCHERS.has(now.name);
      const { cgroup = '' } = now;
      if (LOGIN_SCOPE.test(cgroup) && cgroup !== this.#ownGroup) this.#scopes.add(cgroup);
      const children = this.#table.bytes(pid, `task/${pid}/children`)?.toString('latin1') ?? '';
      for (const child of children.split(' ').map(Number)) if (child > 0) pids.add(child);
    }
    this.#living = living;
    this.#hasSwitched ||= isSwitching;
    if (performance.now() > this.#untilMs) return;
    const isLate = this.#onLook !== undefined;
    this.#timer = setTimeout(() => this.#look(), isSwitching && !isLate ? SWITCHING_MS : PAUSE_MS);
    if (isLate) this.#timer.unref();
    this.#onLook?.();
  }
}

/**
 * Adds to the result what a start has left behind, or may yet, outside of its own `unit`. `holds`: as in Offspring.left. Never
 * rejects.
 */
export async function withLeft(
  result: LaunchResult,
  offspring: Offspring | undefined,
  unit?: string,
  holds?: (pid: number) => boolean,
): Promise<LaunchResult> {
  if (offspring === undefined) return result;
  if (result.kind !== 'launched') {
    offspring.stop();
    return result;
  }
  const { pid } = result;
  // Also looks in its unit: what runs there is identified by the file that the ended program was given.
  if (pid !== undefined && offspring.hasSwitched)
    return { ...result, leaves: offspring.ended(pid).then(() => offspring.left()) };
  offspring.stop();
  const left = pid === undefined ? await offspring.left(unit, holds) : [];
  return left.length === 0 ? result : { ...result, left };
}

const SEEN_FIELDS = ['startTime', 'state', 'threads', 'name', 'cgroup'] as const;
const LEFT_FIELDS = ['ppid', 'sid', 'startTime', 'state', 'threads', 'kernelThread', 'cgroup'] as const;
type Left = ProcessInfo<(typeof LEFT_FIELDS)[number]>;
/** Programs that may open a session for another user (pam(8)). */
const SWITCHERS: ReadonlySet<string> = new Set(['su', 'runuser', 'sudo', 'doas']);
/** The scope of a login session (pam_systemd(8)). */
const LOGIN_SCOPE = /\/session-[^/]+\.scope$/;
/** If a start creates more processes at a time, not all are followed. */
const MOST = 64;
const PAUSE_MS = 5;
const PATIENCE_MS = 10_000;
/** What su(1) runs may do no more than leave the program behind. */
const SWITCHING_MS = 1;
