// One watched process, and what the end of its processes means.
import type { ProcessIdentity } from '../../system/proc/table.ts';
import type { RunningProcesses } from '../../system/systemd/running-processes.ts';
import type { UnitTransit } from '../../system/systemd/unit/transit.ts';
import { isMissingAfter, isWell } from './boot-grace.ts';
import { DeathCase } from './death/case.ts';
import type { FoundProcesses } from './death/judgement.ts';
import { describeDeath, type ProcessDeath } from './death/verdict.ts';
import { LivingProcesses } from './watch/living-processes.ts';
import type { FormerLife, WatchParts } from './watch/parts.ts';
import { WatchedUnit } from './watch/unit.ts';

type Find = (signal: AbortSignal) => Promise<RunningProcesses>;

/**
 * One watched process: knows which of its processes run, and what it means when the last of them ends. Nothing here rejects.
 */
export class WatchedProcess {
  readonly name: string;
  readonly #parts: WatchParts;
  readonly #find: Find;
  readonly #living: LivingProcesses;
  readonly #stopped = new AbortController();
  #key: string;
  #unit: string | undefined;
  #lastDeath: ProcessDeath | undefined;
  /** Ends the wait for it to run, if it has to run. */
  #grace = new AbortController();
  /** True if all that is known of the time before the last reload is that it has run since the start, or if nothing is known. */
  #sinceReload: boolean;
  /** The result of the last look. */
  #found: boolean | null = null;
  /** The death that is being judged: that case does its own looks. */
  #judged: DeathCase | undefined;
  #reportedUnknown: string | undefined;
  /** The main process of the watched unit, 0 if it has none; undefined if a program is watched. */
  #main: number | undefined;
  readonly #watchedUnit: WatchedUnit;

  /** `find` finds what runs of it, as configured at that moment; `byReload`: a reload added it, so nobody has looked before. */
  constructor(name: string, find: Find, parts: WatchParts, byReload = false) {
    this.name = name;
    this.#find = find;
    this.#parts = parts;
    this.#key = name;
    this.#sinceReload = byReload;
    this.#living = new LivingProcesses(name, parts);
    const { signal } = this.#stopped;
    const onChange = (): void => {
      if (this.isDown && !signal.aborted) void this.look();
    };
    this.#watchedUnit = new WatchedUnit({ ...parts, onChange, signal });
  }

  /** True if none of its processes is known to run: new processes have to be looked for. */
  get isDown(): boolean {
    return this.#living.size === 0 && this.#judged === undefined;
  }

  /**
   * Whether it runs, or its unit is as far up as it gets; or what systemd is doing with its unit. null: it was not looked for
   * yet, or it cannot be determined, or its end is being judged.
   */
  get runs(): boolean | null | UnitTransit {
    const known = this.#living.size > 0 ? true : this.#judged ? (this.#judged.restart ?? null) : this.#found;
    return this.#watchedUnit.transit ?? known;
  }

  /** How many of its processes are polled, because there are no file descriptors to wait with. */
  get looked(): number {
    return this.#living.looked;
  }

  /** True if this is the process or the target of a recovery. */
  is(processName: string, target: string): boolean {
    return processName === this.name || target === this.#key;
  }

  /** Looks for it for the first time: if it ran before and does not now, it has ended in the meantime. */
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

  /** Raises its alarm, once, if it is known not to run `graceMs` from now; undefined: it does not have to run. */
  async ensure(graceMs: number | undefined): Promise<void> {
    this.#grace.abort();
    const grace = new AbortController();
    this.#grace = grace;
    if (graceMs === undefined || this.#stopped.signal.aborted) return;
    const { clock, isRecovering, isInAlarm, raiser, log } = this.#parts;
    const missing = await isMissingAfter(graceMs, {
      clock,
      isBusy: () => this.#judged !== undefined || isRecovering(this.name, this.#key),
      find: () => this.look(),
      signal: grace.signal,
    });
    if (!missing) return;
    grace.abort();
    if (isInAlarm(this.name)) return;
    const notes = `not running since ${this.#sinceReload ? 'the configuration was reloaded' : 'the start of monitor_service'}`;
    const raised = raiser.raise(this.name, notes, 'exit');
    log.warning(`Process not running: ${this.name}: ${notes}`, { process_name: this.name });
    await raised;
  }

  /**
   * Looks for it, watches what it finds and returns that; undefined if it cannot be determined. `byReload`: stops watching what
   * the configuration no longer means.
   */
  async look(byReload = false): Promise<FoundProcesses | undefined> {
    if (this.#judged !== undefined) return undefined;
    const running = await this.#findNow();
    if (running.kind === 'unknown') this.#found = null;
    if (running.kind === 'unknown' || this.#judged !== undefined) return undefined;
    if (byReload) this.#living.keepOnly(running.processes);
    this.#adopt(running);
    return running;
  }

  /** A recovery of it has succeeded: if it is still gone some seconds later, it has ended again before anybody noticed it. */
  async afterRecovery(): Promise<void> {
    await this.look();
    if (!this.isDown || this.#lastDeath === undefined) return;
    await this.#parts.clock.sleep(STILL_GONE_MS, this.#stopped.signal);
    if (!this.isDown || this.#stopped.signal.aborted) return;
    // How this life ended is not known; the unit's state is judged by how the former one ended.
    const at = this.#parts.clock.date();
    const uptimeMs = at.getTime() - this.#lastDeath.at.getTime();
    await this.#judge({ ...this.#lastDeath, uptimeMs, at, unseen: 'recovered' });
  }

  /** Stops watching. Idempotent. */
  stop(): void {
    this.#stopped.abort();
    this.#grace.abort();
    this.#living.clear();
    this.#watchedUnit.subscribe(undefined);
    if (this.#lastDeath !== undefined) this.#parts.pids.remove(this.#lastDeath.pid, this.name);
  }

  #adopt(running: FoundProcesses): void {
    const { key, unit, status, processes } = running;
    const [oldest] = processes;
    if (this.#stopped.signal.aborted) return;
    this.#found = isWell(running);
    this.#key = key;
    this.#watchedUnit.subscribe(status?.id ?? unit);
    if (this.#found) this.#grace.abort();
    if (oldest === undefined) return;
    this.#sinceReload = true;
    // The state of a watched unit comes with each look.
    this.#unit = status === undefined ? unit : undefined;
    this.#main = status?.mainPid;
    const { table, clock, events, lives, log } = this.#parts;
    const wasDown = this.#living.size === 0;
    this.#living.add(processes, (process, status) => void this.#ended(process, status));
    if (!wasDown) return;
    log.debug(`Watching ${this.name}: pid ${processes.map(({ pid }) => pid).join(', ')}`, { process_name: this.name });
    const since = new Date(clock.date().getTime() - table.ageMs(oldest));
    const event = { type: 'process_seen', processName: this.name, pid: oldest.pid, since, unit } as const;
    lives.seen(event);
    events.emit(event);
  }

  async #ended(process: ProcessIdentity, known: number | undefined): Promise<void> {
    const { table, clock, pids, isRecovering } = this.#parts;
    const inRecovery = isRecovering(this.name, this.#key) && { inRecovery: true as const };
    const wasMain = this.#main !== undefined && { wasMain: this.#main === process.pid };
    const death = { pid: process.pid, uptimeMs: table.ageMs(process), at: clock.date(), ...wasMain, ...inRecovery };
    const status = await this.#parts.statusOf(process.pid, known);
    this.#living.remove(process.pid);
    // Its pid stays its own for a moment: events of its end may still arrive.
    if (this.#lastDeath !== undefined && this.#lastDeath.pid !== process.pid) pids.remove(this.#lastDeath.pid, this.name);
    this.#lastDeath = { ...death, status };
    if (this.#living.size === 0 && !this.#stopped.signal.aborted) await this.#judge(this.#lastDeath);
  }

  /** None of the processes that we knew runs any more. */
  async #judge(death: ProcessDeath): Promise<void> {
    const { signal } = this.#stopped;
    const isRecovering = (): boolean => this.#parts.isRecovering(this.name, this.#key);
    const how = { parts: this.#parts, watched: this.#watchedUnit, unit: this.#unit, signal, isRecovering };
    const judged = new DeathCase(this.name, death, { ...how, find: () => this.#findNow() });
    this.#judged = judged;
    const judgement = await judged.judge();
    this.#judged = undefined;
    this.#found = false;
    switch (judgement.kind) {
      case 'aborted':
        return;
      case 'lives':
        judged.report(judgement);
        this.#adopt(judgement.running);
        return;
      case 'alarm': {
        this.#grace.abort();
        // The alarm is stored first: if the daemon ends in between, the death must be missed at the next start.
        const raised = this.#parts.raiser.raise(this.name, describeDeath(death, judgement.why), 'exit');
        // Not after it has been handled: the breaker counts exits before it is asked, and a successor may be reported by then.
        judged.report(judgement);
        await raised;
        return;
      }
      case 'expected':
        judged.report(judgement);
        // Its successor may have started while nobody looked for one.
        await this.look();
        return;
      default:
        judgement satisfies never;
    }
  }

  async #findNow(): Promise<RunningProcesses> {
    const running = await this.#find(AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(FIND_LIMIT_MS)]));
    const unknown = running.kind === 'unknown' && !this.#stopped.signal.aborted ? running.reason : undefined;
    if (unknown !== undefined && unknown !== this.#reportedUnknown)
      this.#parts.log.warning(`Cannot watch ${this.name}: ${unknown}`, { process_name: this.name });
    this.#reportedUnknown = unknown;
    const status = running.kind === 'found' ? running.status : undefined;
    // The unit that a program ran in is queried separately.
    if (status !== undefined || this.#judged === undefined) await this.#watchedUnit.note(status);
    return running;
  }
}

const STILL_GONE_MS = 5000;
/** A thousand processes may query systemd at once. */
const FIND_LIMIT_MS = 40_000;
