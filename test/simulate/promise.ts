import { isInAlarm, type ProcessRow, storedAlarm } from '../../src/core/alarm.ts';
import type { EmittedEvent } from '../../src/core/events.ts';
import type { MonitorGraph } from '../../src/monitor/create-monitor.ts';
import type { DaemonState, Journal } from '../../src/state/daemon-state.ts';
import type { WorldClock } from './clock.ts';
import type { SimulatedKernel, SimulatedProcess } from './kernel.ts';
import type { Life } from './life.ts';
import type { SimulatedPid1 } from './pid1.ts';
import type { Program, Scenario } from './scenario.ts';
import type { HowHeard, SimulatedStore } from './store.ts';

/** What the promise is held against. */
export interface PromiseParts {
  readonly scenario: Scenario;
  readonly clock: WorldClock;
  readonly kernel: SimulatedKernel;
  readonly pid1: SimulatedPid1;
  readonly store: () => SimulatedStore;
}

interface Seen {
  readonly inAlarm: boolean;
  readonly notes: string | null;
  readonly sinceMs: number;
}

interface Act {
  readonly life: Life;
  readonly what: string;
  readonly recovery: number;
}

/** What is known of one program. */
class Known {
  /** Recoveries that have begun. */
  recoveries = 0;
  /** Operators' orders under way. */
  orders = 0;
  readonly acts = new Set<Act>();
  /** The alarms of its last attempt, each with its notes. */
  members: ReadonlySet<string> = new Set();
  /** Those that were healed, unless it was ill or in another alarm since; with the crashes that had been until then. */
  healed: { readonly crashes: number; readonly clears: boolean; readonly members: ReadonlySet<string> } | undefined;
  /** When its recovery began, and when another alarm of it was raised. */
  begunAtMs = 0;
  raisedAtMs = 0;
  failures = 0;
  openUntilMs = 0;
  /** How the breaker was before the last failure, and after how many calls of which life that was counted. */
  before: { readonly failures: number; readonly openUntilMs: number; readonly life: Life; readonly calls: number } | undefined;
  /** It was ill when an alarm was cleared whose notes are later than its restart: what was told before the proof of health is ended by it. */
  isOverlooked = false;
  /** When something was last told of it. */
  toldAtMs = Number.NEGATIVE_INFINITY;
}

/** What a restart may wait between the last look at what speaks against it, and its beginning. */
const LOOK_MS = 4000;
/** The same with a PID 1 that is slow, or was silent a moment ago. */
const TROUBLED_LOOK_MS = 60_000;
/** The same before a program is launched. */
const TROUBLED_LAUNCH_MS = 10_000;
/** So long a stale answer may keep a recovery going. */
const BLIND_MS = 30_000;
/** Between a look at the process table and what follows from it. */
const MOMENT_MS = 1000;

/** The promise, as a model: it sees what the daemon is told and what it does, and says what of that must not be. */
export class PromiseModel {
  /** The first thing that was not as promised. */
  broken: string | undefined;
  /** Daemon deaths, other than in order. */
  crashes = 0;
  /** `clear_alarm`. */
  clears = true;
  /** Until when something was in the way of the daemon. */
  troubledUntilMs = 0;
  readonly holds = new Map<string | null, { readonly sinceMs: number; readonly untilMs: number }>();
  readonly #parts: PromiseParts;
  readonly #known = new Map<string, Known>();
  /** Of each row, what this life was told last. */
  #seen = new Map<string, Seen>();
  /** Since when each row is in alarm. */
  readonly #inAlarm = new Map<string, number>();
  #faultSinceMs: number | undefined;
  #switchedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PromiseParts) {
    this.#parts = parts;
    for (const { name } of parts.scenario.programs) this.#known.set(name, new Known());
    parts.kernel.onSignal = (one) => this.#signalled(one);
  }

  /** What the daemon has heard of rows is nothing to its next life, nor of another store. */
  forget(): void {
    this.#seen = new Map();
  }

  /** Another store is asked from now on: what stands there is another alarm. */
  switchedStore(): void {
    this.#switchedAtMs = this.#parts.clock.nowMs;
    this.forget();
    for (const known of this.#known.values()) Object.assign(known, { healed: undefined, raisedAtMs: this.#parts.clock.nowMs });
  }

  /** A life has ended without order: what it was about to write down is not there. */
  crashed(life: Life, power: boolean): void {
    this.crashes++;
    this.forget();
    for (const known of this.#known.values()) {
      known.orders = 0;
      if (power) known.acts.clear();
      const { before } = known;
      if (power) Object.assign(known, { failures: 0, openUntilMs: 0 });
      else if (before?.life === life && life.calls - before.calls <= 1)
        Object.assign(known, { failures: before.failures, openUntilMs: before.openUntilMs });
    }
  }

  /** Something was in the way of the daemon until then. */
  trouble(forMs: number): void {
    this.troubledUntilMs = Math.max(this.troubledUntilMs, this.#parts.clock.nowMs + forMs);
  }

  /** The program has ended: a restart of it is no repetition. */
  ended(program: string): void {
    this.#of(program).healed = undefined;
  }

  /** It is in another alarm. */
  raised(program: string): void {
    Object.assign(this.#of(program), { healed: undefined, raisedAtMs: this.#parts.clock.nowMs, isOverlooked: false });
  }

  /** True if somebody has to tell again of its illness, which no health check can see. */
  isOverlooked(program: string): boolean {
    return this.#of(program).isOverlooked && !this.#isWell(program);
  }

  ordered(program: string): () => void {
    const known = this.#of(program);
    known.orders++;
    known.healed = undefined;
    return () => {
      known.orders = Math.max(0, known.orders - 1);
    };
  }

  /** The daemon was told of a row. */
  heard(processId: string, row: ProcessRow | undefined, how: HowHeard): void {
    const inAlarm = row !== undefined && isInAlarm(row);
    const before = this.#seen.get(processId);
    const known = this.#known.get(this.#parts.store().rows.get(processId)?.processName ?? '');
    if (how === 'cleared' && known !== undefined && !known.members.has(`row ${processId} ${before?.notes}`))
      known.isOverlooked = true;
    const notes = row?.notes ?? null;
    const sinceMs = before?.inAlarm === inAlarm ? before.sinceMs : this.#parts.clock.nowMs;
    this.#seen.set(processId, { inAlarm, notes, sinceMs });
  }

  /** The daemon begins to do something to a program; to be called when that is over. */
  acts(life: Life, program: string, what: string): () => void {
    const known = this.#of(program);
    for (const other of known.acts) {
      const isPid1s = !other.life.isAlive && !other.what.startsWith('simulated-');
      if (!isPid1s && (other.life !== life || other.recovery !== known.recoveries))
        this.#break(
          `two recoveries at once of ${program}: ${other.what} (life ${other.life.number}) and ${what} (life ${life.number})`,
        );
    }
    this.#judgeCopies(program, what);
    const act: Act = { life, what, recovery: known.recoveries };
    known.acts.add(act);
    return () => void known.acts.delete(act);
  }

  /** The daemon has told of something. */
  event(life: Life, graph: MonitorGraph, state: Pick<DaemonState, 'journal' | 'kept'>, event: EmittedEvent): void {
    const program = 'process' in event ? event.process.processName : undefined;
    const known = program === undefined ? undefined : this.#known.get(program);
    if (program === undefined || known === undefined) return;
    known.toldAtMs = this.#parts.clock.nowMs;
    if (event.type === 'alarm_found' && event.incident === null) this.#break(`the alarm of ${program} belongs to no incident`);
    const { maxRestartFailures, circuitResetMs } = this.#parts.scenario;
    const { nowMs } = this.#parts.clock;
    switch (event.type) {
      case 'recovery_started':
        known.recoveries++;
        known.begunAtMs = nowMs;
        // For an order it is half open, and stays so until that has a verdict.
        if (known.orders > 0) known.openUntilMs = 0;
        if (nowMs < known.openUntilMs)
          this.#break(`${program} is restarted though its breaker is open for ${known.openUntilMs - nowMs} ms more`);
        return;
      case 'attempt_started':
        known.members = membersOf(state.journal, event.target);
        this.#judgeAttempt(program, known, state.kept, event.attempt);
        return;
      case 'recovery_succeeded':
        Object.assign(known, { failures: 0, openUntilMs: 0 });
        // What was well after a crash without a restart of this life may be restarted once for that crash.
        if (event.attempts > 0 && known.raisedAtMs < known.begunAtMs && this.#isWell(program) && this.#isUpToDate(program))
          known.healed = { crashes: this.crashes, clears: this.clears, members: known.members };
        return;
      case 'recovery_failed': {
        known.before = { failures: known.failures, openUntilMs: known.openUntilMs, life, calls: life.calls };
        known.failures++;
        known.healed = undefined;
        if (known.failures >= maxRestartFailures) known.openUntilMs = nowMs + circuitResetMs;
        return;
      }
      case 'recovery_skipped':
        this.#judgeSkip(program, known, graph, event.reason);
        return;
      default:
    }
  }

  /** Between two steps: what must hold at any moment. */
  look(life: Life, graph: MonitorGraph, isObserving: boolean): void {
    const { clock, scenario } = this.#parts;
    const store = this.#parts.store();
    const { nowMs } = clock;
    this.#faultSinceMs = store.trouble.fault === undefined ? undefined : (this.#faultSinceMs ?? nowMs);
    const patienceMs = scenario.checkIntervalMs + 60_000;
    if (this.#faultSinceMs !== undefined && nowMs - Math.max(this.#faultSinceMs, this.troubledUntilMs) > patienceMs)
      if (graph.monitor.availability.state === 'ok')
        this.#break(`the store answers ${store.trouble.fault}, and that is taken for well`);
    for (const [processId, row] of store.rows) {
      if (!isInAlarm(row)) this.#inAlarm.delete(processId);
      else if (!this.#inAlarm.has(processId)) this.#inAlarm.set(processId, nowMs);
      const known = this.#known.get(row.processName ?? '');
      // It may have been cleared and raised again since the last look.
      const sinceMs = Math.max(this.#inAlarm.get(processId) ?? nowMs, this.troubledUntilMs, known?.raisedAtMs ?? 0);
      // Whoever may not clear it leaves a healed alarm to others.
      if (known === undefined || known.toldAtMs >= sinceMs || graph.book.memory.hasHandled(storedAlarm(row))) continue;
      if (isObserving || nowMs - sinceMs <= patienceMs) continue;
      const entry = graph.book.get(`row ${processId}`);
      if ((entry?.phase ?? 'idle') === 'idle' && entry?.skip === undefined && !entry?.hasFailed)
        this.#break(
          `the alarm of ${row.processName} has stood for ${nowMs - sinceMs} ms, and was neither attempted nor skipped (${life.calls} calls)`,
        );
    }
  }

  #judgeAttempt(program: string, known: Known, kept: DaemonState['kept'], attempt: number): void {
    const { clock, store, pid1 } = this.#parts;
    const { nowMs } = clock;
    const lookMs = nowMs - pid1.troubledAtMs < TROUBLED_LOOK_MS ? TROUBLED_LOOK_MS : LOOK_MS;
    for (const [name, { sinceMs, untilMs }] of this.holds)
      if ((name === null || name === program) && nowMs - sinceMs > lookMs && nowMs < untilMs)
        this.#break(`${program} is restarted though ${name ?? 'everything'} has been on hold for ${nowMs - sinceMs} ms`);
    if (known.orders > 0) return;
    const isRepeated = known.members.size > 0 && [...known.members].every((member) => known.healed?.members.has(member));
    if (known.healed !== undefined && isRepeated && attempt === 1) {
      if (known.healed.crashes === this.crashes && !this.#isBlind(known.healed.clears))
        this.#break(`${program} is restarted again for an alarm that was healed`);
      known.healed = undefined;
    }
    const rows = [...store().rows.values()].filter(({ processName }) => processName === program);
    const seen = rows.flatMap(({ processId }) => this.#seen.get(processId) ?? []);
    const isCleared = seen.length > 0 && seen.every(({ inAlarm, sinceMs }) => !inAlarm && nowMs - sinceMs > lookMs);
    // A kept alarm stands while it is being offered to the store, too.
    if (isCleared && kept.get(program) === undefined)
      this.#break(`${program} is restarted though the daemon has seen for a while that nothing of it is in alarm`);
  }

  /** That nobody is in alarm is said only if somebody has said so. */
  #judgeSkip(program: string, known: Known, graph: MonitorGraph, reason: string): void {
    // Of a row of the store before, or of an alarm of our own, which has gone into the store meanwhile.
    const { nowMs } = this.#parts.clock;
    if (nowMs - this.#switchedAtMs < TROUBLED_LOOK_MS || nowMs - known.raisedAtMs < TROUBLED_LOOK_MS) return;
    if (!/^(somebody|its row|no process is)/.test(reason) || known.orders > 0 || graph.kept.alarm(program) !== undefined)
      return;
    const rows = [...this.#parts.store().rows.values()].filter(({ processName }) => processName === program);
    // Of an alarm that came later it says nothing.
    const isKnown = ({ processId }: ProcessRow): boolean => {
      const seen = this.#seen.get(processId);
      return seen?.inAlarm === true && seen.sinceMs < known.begunAtMs;
    };
    if (rows.length > 0 && rows.every(isKnown))
      this.#break(`the daemon says of ${program} that ${reason}, and nobody has told it so`);
  }

  /** A program is started only if no copy of it has been there to be seen. */
  #judgeCopies(program: string, what: string): void {
    const { kernel, clock, pid1 } = this.#parts;
    const isStart = what === 'launch' || /^(start|restart) /.test(what);
    if (!isStart) return;
    if (what === 'launch' && kernel.isUnreadable && clock.nowMs - kernel.unreadableSinceMs > MOMENT_MS)
      this.#break(`${program} is started though the process table cannot be read`);
    const unit = `/system.slice/${program}.service`;
    const copies = kernel.copiesOf(program);
    // What is up already is not made one more by its restart.
    if (what !== 'launch' && copies.some(({ cgroup }) => cgroup === unit)) return;
    // What systemd is about to start, or is starting, it starts itself.
    const { activeState = '' } = pid1.units.get(`${program}.service`)?.status() ?? {};
    if (what !== 'launch' && !['inactive', 'failed'].includes(activeState)) return;
    const others = copies.filter(({ cgroup }) => what === 'launch' || cgroup !== unit);
    // A launch looks again right before it, once PID 1 has answered.
    const troubledLookMs = what === 'launch' ? TROUBLED_LAUNCH_MS : TROUBLED_LOOK_MS;
    const lookMs = clock.nowMs - pid1.troubledAtMs < TROUBLED_LOOK_MS ? troubledLookMs : MOMENT_MS;
    const seen = others.find(({ bornAtMs }) => clock.nowMs - bornAtMs > lookMs);
    if (seen !== undefined)
      this.#break(`a second copy of ${program}: ${what} while pid ${seen.pid} has run for ${clock.nowMs - seen.bornAtMs} ms`);
  }

  #signalled(one: SimulatedProcess): void {
    if (one.isStranger || one.program === undefined)
      this.#break(`a stranger was signalled: ${one.name} (pid ${one.pid}, user ${one.uid})`);
  }

  /** True if the daemon knows all alarms of the program. */
  #isUpToDate(program: string): boolean {
    const rows = [...this.#parts.store().rows.values()].filter(({ processName }) => processName === program);
    return rows.every((row) => !isInAlarm(row) || this.#seen.get(row.processId)?.notes === row.notes);
  }

  /**
   * A node that lags shows what was cleared, and the row cannot be read again; or it does not show yet what was healed and is not cleared:
   * nobody could know better.
   */
  #isBlind(wasCleared: boolean): boolean {
    const { laggedAtMs, failedAtMs } = this.#parts.store();
    const { nowMs } = this.#parts.clock;
    return nowMs - laggedAtMs < BLIND_MS && (!wasCleared || nowMs - failedAtMs < BLIND_MS);
  }

  #isWell(program: string): boolean {
    return this.#parts.kernel.copiesOf(program).some(({ isSick }) => !isSick);
  }

  #of(program: string): Known {
    const known = this.#known.get(program);
    if (known === undefined) throw new Error(`nothing is known of ${program}`);
    return known;
  }

  #break(what: string): void {
    this.broken ??= `${what} (at ${this.#parts.clock.nowMs} ms)`;
  }
}

function membersOf(journal: Journal, target: string): ReadonlySet<string> {
  const alarms = journal.list().find((entry) => entry.target === target)?.alarms ?? [];
  return new Set(alarms.map(({ key, notes }) => `${key} ${notes}`));
}

/** What is still not well when all troubles have been over for long; undefined if all is. */
export function leftIll(
  programs: readonly Program[],
  { kernel, store }: Pick<PromiseParts, 'kernel' | 'store'>,
  graph: MonitorGraph,
  journal: readonly { readonly target: string }[],
): string | undefined {
  for (const row of store().rows.values())
    if (isInAlarm(row)) return `the alarm of ${row.processName} (row ${row.processId}) stands`;
  for (const { name } of programs) {
    const copies = kernel.copiesOf(name);
    if (copies.length !== 1) return `${copies.length} copies of ${name} run`;
    if (copies[0]?.isSick) return `${name} is ill`;
  }
  const [kept] = graph.kept.alarms();
  if (kept !== undefined) return `an alarm of ${kept.processName} is kept`;
  const [entry] = journal;
  return entry === undefined ? undefined : `the journal has an entry of ${entry.target}`;
}
