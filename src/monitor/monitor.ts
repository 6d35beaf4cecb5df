import { type Alarm, isInAlarm, storedAlarm } from '../core/alarm.ts';
import { AlarmIntake, type AlarmIntakeParts } from './alarm-intake.ts';
import { backoffMs } from './backoff.ts';
import { PollGrid } from './poll-grid.ts';
import { type PolledAlarms, type StoreAvailability, StoreWatch } from './store-watch.ts';

/** What the loop needs. */
export interface MonitorParts extends AlarmIntakeParts {
  /** Called whenever the loop turns, at least each `heartbeatMs`: the watchdog is fed here and nowhere else. */
  readonly onHeartbeat: () => void;
  readonly heartbeatMs: number;
}

/** A poll that takes longer is a stuck loop: the watchdog is no longer fed. Far beyond every deadline of a store call. */
const STUCK_AFTER_MS = 180_000;

/** The poll loop: asks the store who is in alarm, hands them to the queue, sleeps. Polls never overlap; a fault never ends it. */
export class Monitor {
  readonly #parts: MonitorParts;
  readonly #intake: AlarmIntake;
  readonly #watch: StoreWatch;
  readonly #grid: PollGrid;
  /** Polls in a row that found a clearing pending. */
  #retries = 0;
  #alarm = new AbortController();
  /** When the next poll of the grid is due: one before that is early. */
  #dueMs = 0;
  #woken = false;
  /** When kept alarms are handed on again while the store is away. */
  #keptDueMs = 0;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.#intake = new AlarmIntake(parts);
    this.#watch = new StoreWatch(parts);
    this.#grid = new PollGrid();
  }

  /** What is known of the store; `alarms` without those that were cleared since the last poll. */
  get availability(): StoreAvailability {
    const known = this.#watch.availability;
    if (known.state === 'starting') return known;
    return { ...known, alarms: known.alarms.filter(({ key }) => !this.#parts.clearing.isCleared(key)) };
  }

  /** AlarmIntake.since. */
  seenSince(key: string): Date | undefined {
    return this.#intake.since(key);
  }

  /** Polls until `stopping` aborts. */
  async run(stopping: AbortSignal): Promise<void> {
    // Not AbortSignal.any: a new one for each sleep costs more than the rest of an idle loop.
    stopping.addEventListener('abort', () => this.wake(), { once: true });
    while (!stopping.aborted) {
      if (this.#alarm.signal.aborted) this.#alarm = new AbortController();
      await this.#beating(this.tick());
      await this.#sleep(this.#pauseMs(), this.#alarm.signal);
    }
  }

  /** Makes the next poll come now. */
  wake(): void {
    this.#woken = true;
    this.#alarm.abort();
  }

  /**
   * Something else than a poll found that the store does not answer. Who is in alarm is not known until a poll is answered, which
   * follows now; later and later, if polls are answered and the rest is not, time and again.
   */
  doubt(error: unknown): void {
    if (!this.#watch.doubt(error)) return;
    const { doubts } = this.#watch;
    if (doubts === 1) this.wake();
    else void this.#parts.clock.sleep(backoffMs(doubts - 1), this.#parts.stopping).then(() => this.wake());
  }

  /** One poll. Never rejects. */
  async tick(): Promise<void> {
    const early = this.#parts.clock.monotonicMs() < this.#dueMs;
    const woken = this.#woken;
    this.#woken = false;
    this.#parts.queue.pollStarting();
    this.#parts.clearing.pollStarting();
    let alarms = await this.look();
    // What it takes now is among its rows at the next look.
    if (alarms !== undefined && (await this.#parts.kept.offerAgain((key) => this.#parts.queue.isHandling(key))))
      alarms = await this.look();
    // The answer may have come after the order to stop.
    if (this.#parts.stopping.aborted) return;
    if (alarms !== undefined) this.#take(alarms, early);
    else if (this.#parts.clock.monotonicMs() >= this.#keptDueMs) this.#takeAllKept(false);
    else if (woken) this.#takeAllKept(true);
  }

  /** Hands on an alarm that has just been kept, also while the store is away or a poll waits for it. */
  takeKept(processName: string): void {
    const alarm = this.#parts.kept.alarm(processName);
    if (alarm === undefined || this.#parts.stopping.aborted) return;
    const spokenFor = ({ key }: Alarm): boolean => key === alarm.key;
    if (!this.#parts.queue.isHandling(alarm.key)) this.#intake.forget(alarm.key);
    this.#parts.queue.submit(this.#intake.judge([alarm], spokenFor), spokenFor);
  }

  /** RecoveryQueue.foreseeBlock, with those that the store has in alarm now. Who cannot be read is not known to be in alarm. */
  foreseeBlock(processName: string): Promise<string | undefined> {
    const { store, kept, queue } = this.#parts;
    return queue.foreseeBlock(processName, async (name) => {
      const rows = await store()
        .findProcesses(name)
        .catch(() => []);
      const alarms = [...rows.filter(isInAlarm).map(storedAlarm), kept.alarm(name)].filter((alarm) => alarm !== undefined);
      return this.#intake.ours(alarms);
    });
  }

  /** Asks the store who is in alarm, and does nothing about it; undefined where it does not answer. Never rejects. */
  async look(): Promise<PolledAlarms | undefined> {
    const { clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    const store = this.#parts.store();
    // After a reload: what an earlier store says (or that it was closed) is no news of the present one, which is asked next.
    const isPast = (): boolean => store !== this.#parts.store();
    try {
      const { rows, remarks, ...others } = await store.readAlarms(this.#parts.sections());
      if (isPast()) return undefined;
      const polled = { ...others, alarms: rows.map(storedAlarm), remarks };
      this.#intake.tellOdd(remarks);
      this.#watch.answered(polled, Math.round(clock.monotonicMs() - startedMs));
      return polled;
    } catch (error) {
      if (!isPast()) this.#watch.failed(error);
      return undefined;
    }
  }

  #take({ alarms, leftOut }: PolledAlarms, early: boolean): void {
    const { clearing, settlement, queue, unproved } = this.#parts;
    const all = [...alarms, ...this.#parts.kept.alarms()];
    // Of those that were left out it is not known whether they still stand.
    const spokenFor = leftOut === 0 ? () => true : isKept;
    const found = this.#intake.judge(all, spokenFor);
    clearing.forgetEnded(alarms, leftOut === 0);
    if (leftOut === 0) {
      settlement.sweep(all);
      unproved.forgetEnded(all);
    }
    queue.submit(found, spokenFor, early);
    if (!early) this.#keptDueMs = this.#parts.clock.monotonicMs() + this.#parts.settings().checkIntervalMs;
  }

  /** Polls that fail come more often than those that do not; what could not be healed is tried no more often than with a store. */
  #takeAllKept(early: boolean): void {
    const { kept, queue, clock, settings } = this.#parts;
    queue.submit(this.#intake.judge(kept.alarms(), isKept), isKept, early);
    if (!early) this.#keptDueMs = clock.monotonicMs() + settings().checkIntervalMs;
  }

  /** Until the next point of the grid; while the store is away or a clearing is pending, exponential backoff with full jitter. */
  #pauseMs(): number {
    const { settings, clock, clearing } = this.#parts;
    if (this.#watch.availability.state === 'unknown') return backoffMs(Math.max(this.#watch.faults, this.#watch.doubts));
    this.#retries = clearing.pending ? this.#retries + 1 : 0;
    const nowMs = clock.monotonicMs();
    const dueMs = this.#grid.pauseMs(nowMs, settings().checkIntervalMs);
    this.#dueMs = nowMs + dueMs;
    return this.#retries > 0 ? Math.min(dueMs, backoffMs(this.#retries)) : dueMs;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const end = clock.monotonicMs() + ms;
    while (!signal.aborted && clock.monotonicMs() < end) {
      this.#parts.onHeartbeat();
      await clock.sleep(Math.min(end - clock.monotonicMs(), this.#parts.heartbeatMs), signal);
    }
  }

  /** Keeps the heart beating while a poll waits for its store. */
  async #beating(tick: Promise<void>): Promise<void> {
    const { clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    const done = new AbortController();
    const beat = (async () => {
      while (!done.signal.aborted) {
        if (clock.monotonicMs() - startedMs < STUCK_AFTER_MS) this.#parts.onHeartbeat();
        await clock.sleep(this.#parts.heartbeatMs, done.signal);
      }
    })();
    await tick;
    // A reason of ours: an error with a stack would be made for want of one.
    done.abort('polled');
    await beat;
  }
}

function isKept({ source }: Alarm): boolean {
  return source === 'kept';
}
