import { describeWaitStatus } from '../core/wait-status.ts';
import { type PidWatch, watchPid } from '../system/proc/pid-watch.ts';
import type { ProcessIdentity } from '../system/proc/table.ts';
import type { RunningProcesses } from '../system/systemd/running-processes.ts';
import type { UnitStatus } from '../system/systemd/service-manager.ts';
import type { UnitTransit } from '../system/systemd/unit-transit.ts';
import { isMissingAfter, isWell } from './boot-grace.ts';
import { type FoundProcesses, judgeDeath } from './judge-death.ts';
import { describeDeath, type ProcessDeath } from './process-death.ts';
import { TransitWatch } from './transit-watch.ts';
import type { FormerLife, WatchParts } from './watch-parts.ts';

type Find = (signal: AbortSignal) => Promise<RunningProcesses>;

/** One monitored process: knows what of it runs, and what it means when the last of it ends. Nothing here rejects. */
export class WatchedProcess {
  readonly name: string;
  readonly #parts: WatchParts;
  readonly #find: Find;
  readonly #living = new Map<number, PidWatch>();
  readonly #stopped = new AbortController();
  #key: string;
  #unit: string | undefined;
  #lastDeath: ProcessDeath | undefined;
  /** Ends the wait for it to run, where it has to. */
  #grace = new AbortController();
  /** True if no more is known of the time before the last reload than that it has run since the start, or nothing at all. */
  #sinceReload: boolean;
  /** What the last look at it found. */
  #found: boolean | null = null;
  /** A death is being judged: that looks for itself. */
  #judging = false;
  /** Ends the pause between two looks at a death. */
  #hurry = new AbortController();
  #watchedUnit: { readonly unit: string; readonly stop: () => void } | undefined;
  #toldUnknown: string | undefined;
  readonly #transit: TransitWatch;

  /** `find` looks for what runs of it, as configured at that moment; `byReload`: a reload brought it, so nobody has looked before. */
  constructor(name: string, find: Find, parts: WatchParts, byReload = false) {
    this.name = name;
    this.#find = find;
    this.#parts = parts;
    this.#key = name;
    this.#sinceReload = byReload;
    const onSettled = (): void => {
      if (this.isDown) void this.look();
    };
    this.#transit = new TransitWatch({ ...parts, onSettled, signal: this.#stopped.signal });
  }

  /** True where nothing of it is known to run: newcomers are to be looked for. */
  get isDown(): boolean {
    return this.#living.size === 0 && !this.#judging;
  }

  /**
   * Whether it runs, or its unit is as up as it gets; or what systemd is about with its unit. null: nobody has looked yet, or it cannot
   * be told, or its end is being judged.
   */
  get runs(): boolean | null | UnitTransit {
    return this.#transit.current ?? (this.#living.size > 0 ? true : this.#judging ? null : this.#found);
  }

  /** How many of it are looked at, for want of descriptors to wait by. */
  get looked(): number {
    return [...this.#living.values()].filter(({ by }) => by === 'looks').length;
  }

  /** True for a recovery's target or process that is this one. */
  is(processName: string, target: string): boolean {
    return processName === this.name || target === this.#key;
  }

  /** Looks for it for the first time: where it ran before and does not now, it has ended meanwhile. */
  async begin(former: FormerLife | undefined): Promise<void> {
    await this.look();
    if (former === undefined || !this.isDown || this.#stopped.signal.aborted) return;
    const at = this.#parts.clock.date();
    this.#unit = former.unit;
    this.#lastDeath = {
      pid: former.pid,
      uptimeMs: at.getTime() - former.since.getTime(),
      at,
      status: undefined,
      unseen: 'away',
    };
    await this.#judge(this.#lastDeath);
  }

  /** What is known not to run `graceMs` from now raises its alarm, once; undefined: it need not run. */
  async ensure(graceMs: number | undefined): Promise<void> {
    this.#grace.abort();
    const grace = new AbortController();
    this.#grace = grace;
    if (graceMs === undefined || this.#stopped.signal.aborted) return;
    const { clock, isRecovering, isInAlarm, raiser, log } = this.#parts;
    const missing = await isMissingAfter(graceMs, {
      clock,
      isBusy: () => this.#judging || isRecovering(this.name, this.#key),
      find: () => this.look(),
      signal: grace.signal,
    });
    if (!missing) return;
    grace.abort();
    if (isInAlarm(this.name)) return;
    const notes = `not running since ${this.#sinceReload ? 'the configuration was reloaded' : 'the start of monitor_service'}`;
    const raised = raiser.raise(this.name, notes);
    log.warning(`Process not running: ${this.name}: ${notes}`, { process_name: this.name });
    await raised;
  }

  /**
   * Looks for it and watches what it finds, which is returned; undefined if it cannot be told. `anew`: what the configuration no
   * longer means is let go.
   */
  async look(anew = false): Promise<FoundProcesses | undefined> {
    if (this.#judging) return undefined;
    const running = await this.#findNow();
    if (running.kind === 'unknown') this.#found = null;
    if (running.kind === 'unknown' || this.#judging) return undefined;
    if (anew) this.#letGo(running.processes);
    this.#adopt(running);
    return running;
  }

  /** A recovery of it has succeeded: what is still gone some seconds later has ended again before it was noticed. */
  async afterRecovery(): Promise<void> {
    await this.look();
    if (!this.isDown || this.#lastDeath === undefined) return;
    await this.#parts.clock.sleep(STILL_GONE_MS, this.#stopped.signal);
    if (!this.isDown || this.#stopped.signal.aborted) return;
    // How this one ended nobody knows; the unit's state is weighed by how the former did.
    await this.#judge({ ...this.#lastDeath, at: this.#parts.clock.date(), unseen: 'recovered' });
  }

  /** Lets everything go. Idempotent. */
  stop(): void {
    this.#stopped.abort();
    this.#grace.abort();
    for (const pid of [...this.#living.keys()]) this.#release(pid);
    this.#hearOf(undefined);
    if (this.#lastDeath !== undefined) this.#parts.pids.remove(this.#lastDeath.pid, this.name);
  }

  #letGo(processes: readonly ProcessIdentity[]): void {
    for (const pid of [...this.#living.keys()]) {
      // One that has ended just now is still to be told of.
      if (!processes.some((process) => process.pid === pid) && this.#parts.table.isRunning(pid)) this.#release(pid);
    }
  }

  #release(pid: number): void {
    this.#living.get(pid)?.stop();
    this.#living.delete(pid);
    this.#parts.pids.remove(pid, this.name);
  }

  #adopt(running: FoundProcesses): void {
    const { key, unit, status, processes } = running;
    const [oldest] = processes;
    if (this.#stopped.signal.aborted) return;
    this.#found = isWell(running);
    this.#key = key;
    this.#hearOf(status?.id ?? unit);
    if (this.#found) this.#grace.abort();
    if (oldest === undefined) return;
    this.#sinceReload = true;
    // A monitored unit's own state comes with each look.
    this.#unit = status === undefined ? unit : undefined;
    const { table, clock, events, log, pids } = this.#parts;
    const wasDown = this.#living.size === 0;
    for (const process of processes) {
      if (this.#living.has(process.pid)) continue;
      const watch = watchPid(process, { table, clock }, (status) => void this.#ended(process, status));
      this.#living.set(process.pid, watch);
      pids.add(process.pid, this.name);
    }
    if (!wasDown) return;
    log.debug(`Watching ${this.name}: pid ${processes.map(({ pid }) => pid).join(', ')}`, { process_name: this.name });
    const since = new Date(clock.date().getTime() - table.ageMs(oldest));
    events.emit({ type: 'process_seen', processName: this.name, pid: oldest.pid, since, unit });
  }

  /** Has systemd tell of changes of its unit: then nothing waits for the next look, neither a new life nor a verdict. */
  #hearOf(unit: string | undefined): void {
    if (unit === this.#watchedUnit?.unit) return;
    this.#watchedUnit?.stop();
    this.#watchedUnit = unit === undefined ? undefined : { unit, stop: this.#parts.services.watch(unit, () => this.#hear()) };
  }

  #hear(): void {
    this.#hurry.abort();
    this.#transit.hear();
    if (this.isDown && !this.#stopped.signal.aborted) void this.look();
  }

  async #pause(ms: number): Promise<void> {
    await this.#parts.clock.sleep(ms, AbortSignal.any([this.#hurry.signal, this.#stopped.signal]));
    // Not before: what changed while we were looking may not have been seen yet.
    this.#hurry = new AbortController();
  }

  async #ended(process: ProcessIdentity, known: number | undefined): Promise<void> {
    const { table, clock, pids, isRecovering } = this.#parts;
    const inRecovery = isRecovering(this.name, this.#key) && { inRecovery: true as const };
    const death = { pid: process.pid, uptimeMs: table.ageMs(process), at: clock.date(), ...inRecovery };
    const status = await this.#parts.statusOf(process.pid, known);
    this.#living.delete(process.pid);
    // Its own number stays its own for a moment: events of its end may still come.
    if (this.#lastDeath !== undefined && this.#lastDeath.pid !== process.pid) pids.remove(this.#lastDeath.pid, this.name);
    this.#lastDeath = { ...death, status };
    if (this.#living.size === 0 && !this.#stopped.signal.aborted) await this.#judge(this.#lastDeath);
  }

  /** Nothing that we knew of runs any more. */
  async #judge(death: ProcessDeath): Promise<void> {
    const { table, clock } = this.#parts;
    this.#judging = true;
    const judgement = await judgeDeath(death, {
      table,
      clock,
      pause: (ms) => this.#pause(ms),
      isRecovering: () => this.#parts.isRecovering(this.name, this.#key),
      find: () => this.#findNow(),
      showUnit: () => this.#showUnit(),
      signal: this.#stopped.signal,
    });
    this.#judging = false;
    this.#found = false;
    switch (judgement.kind) {
      case 'aborted':
        return;
      case 'lives':
        if (judgement.reborn) this.#tell(death, `it was started again${byWhom(judgement.running)}`);
        this.#adopt(judgement.running);
        return;
      case 'alarm': {
        this.#grace.abort();
        // Written down first: should the daemon end in between, the death has to be missed at the next start.
        const raised = this.#parts.raiser.raise(this.name, describeDeath(death));
        // Not when it has been dealt with: the breaker counts exits before it is asked, and a successor may be told of by then.
        this.#tell(death, undefined);
        await raised;
        return;
      }
      case 'expected':
        this.#tell(judgement.inRecovery ? { ...death, inRecovery: true } : death, judgement.why);
        // Its successor may have come while nobody looked for one.
        await this.look();
        return;
      default:
        judgement satisfies never;
    }
  }

  /** `why` it is no alarm; undefined where it is one. */
  #tell(death: ProcessDeath, why: string | undefined): void {
    const { log, events } = this.#parts;
    const expected = why !== undefined;
    const line = `Process exited: ${this.name}: ${describeDeath(death)}${expected ? `; no alarm: ${why}` : ''}`;
    log[expected ? 'info' : 'warning'](line, { process_name: this.name, process_pid: death.pid });
    const { pid, uptimeMs, at, status, unseen, inRecovery } = death;
    const cause = describeWaitStatus(unseen === undefined ? status : undefined);
    const ours = inRecovery && { ours: true as const };
    events.emit({ type: 'process_exited', processName: this.name, pid, cause, uptimeMs, at, expected, ...ours });
  }

  async #findNow(): Promise<RunningProcesses> {
    const running = await this.#find(AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(FIND_LIMIT_MS)]));
    const unknown = running.kind === 'unknown' && !this.#stopped.signal.aborted ? running.reason : undefined;
    if (unknown !== undefined && unknown !== this.#toldUnknown)
      this.#parts.log.warning(`Cannot watch ${this.name}: ${unknown}`, { process_name: this.name });
    this.#toldUnknown = unknown;
    const status = running.kind === 'found' ? running.status : undefined;
    // Of the unit that a program ran in #showUnit tells.
    if (status !== undefined || !this.#judging) await this.#transit.note(status);
    return running;
  }

  /** How the unit stands that the program ran in; undefined where there is none. */
  async #showUnit(): Promise<UnitStatus | 'unknown' | undefined> {
    const { services } = this.#parts;
    if (this.#unit === undefined || !services.available) return undefined;
    const shown = await services.show(this.#unit, this.#stopped.signal);
    if (shown.kind !== 'status') return 'unknown';
    await this.#transit.note(shown.status);
    return shown.status;
  }
}

function byWhom({ supervisor }: FoundProcesses): string {
  return supervisor === undefined ? '' : ` by ${supervisor.description}`;
}

const STILL_GONE_MS = 5000;
/** A thousand may ask systemd at once. */
const FIND_LIMIT_MS = 40_000;
