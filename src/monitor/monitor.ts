// The poll loop.
import { storedAlarm } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import type { EventBus } from '../core/events.ts';
import type { AlarmStore } from '../stores/store.ts';
import type { AlarmBook } from './alarms/book.ts';
import type { AlarmClearing } from './alarms/clearing.ts';
import type { KeptAlarms } from './alarms/kept.ts';
import type { CurrentConfig } from './current-config.ts';
import type { AlarmHandler } from './handler.ts';
import { backoffMs } from './poll/backoff.ts';
import { PollGrid } from './poll/grid.ts';
import type { PolledAlarms, StoreAvailability, StoreWatch } from './poll/store-watch.ts';
import type { InterruptedRuns } from './recovery/interrupted-runs.ts';

/** What the loop needs. */
interface MonitorParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly watch: StoreWatch;
  readonly kept: KeptAlarms;
  readonly handler: AlarmHandler;
  readonly clearing: AlarmClearing;
  readonly interruptedRuns: InterruptedRuns;
  readonly clock: Clock;
  readonly events: EventBus;
  /** 0 to 1: when polls are due, and how long a store that does not answer is left alone. */
  readonly random: () => number;
  readonly stopping: AbortSignal;
  /** Called at least each `heartbeatMs` while the loop turns: this alone feeds the watchdog. */
  readonly onHeartbeat: () => void;
  readonly heartbeatMs: number;
}

/** A poll that takes longer is stuck: the watchdog is no longer fed. Far beyond every time limit of a store call. */
const STUCK_AFTER_MS = 180_000;

/** The answer to a poll, with the poll's number. */
type Answer = PolledAlarms & { readonly poll: number };

/** The poll loop: asks the store who is in alarm, gives the alarms to the handler, sleeps. Polls never overlap; a fault never ends it. */
export class Monitor {
  readonly #parts: MonitorParts;
  readonly #grid: PollGrid;
  /** Polls in a row that found a clearing pending. */
  #retries = 0;
  #alarm = new AbortController();
  /** When the next regular poll is due. A poll before that is early. */
  #dueMs = 0;
  #woken = false;
  /** When kept alarms are handled again while the store is away. */
  #keptDueMs = 0;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.#grid = new PollGrid(parts.random());
  }

  /** What is known about the store. `alarms` does not include those that the daemon has cleared since. */
  get availability(): StoreAvailability {
    const { watch, book } = this.#parts;
    const known = watch.availability;
    if (known.state === 'starting') return known;
    return { ...known, alarms: known.alarms.filter(({ key }) => !book.isCleared(key)) };
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

  /** Lets the next poll begin now. */
  wake(): void {
    this.#woken = true;
    this.#alarm.abort();
  }

  /**
   * A call other than a poll found that `store` does not answer. Who is in alarm is not known until a poll is answered. That poll
   * begins now; if polls are answered and other calls are not, again and again, it comes later each time.
   */
  doubt(store: AlarmStore, error: unknown): void {
    const { config, watch, clock, random, stopping } = this.#parts;
    // After a reload a fault of the earlier store says nothing about the present one.
    if (store !== config.current().store || !watch.doubt(error)) return;
    if (watch.doubts === 1) this.wake();
    else void clock.sleep(backoffMs(watch.doubts - 1, random), stopping).then(() => this.wake());
  }

  /** One poll. Never rejects. */
  async tick(): Promise<void> {
    const { book, kept, clock, stopping } = this.#parts;
    const early = clock.monotonicMs() < this.#dueMs;
    const woken = this.#woken;
    this.#woken = false;
    let answer = await this.look();
    // What the store takes now is among its rows at the next look.
    if (answer !== undefined && (await kept.offerAgain((key) => book.isUnderWay(key)))) answer = await this.look();
    // The answer may have come after the order to stop.
    if (stopping.aborted) return;
    if (answer !== undefined) this.#take(answer, early);
    else if (clock.monotonicMs() >= this.#keptDueMs) this.#takeAllKept(false);
    else if (woken) this.#takeAllKept(true);
  }

  /** Handles an alarm that has just been kept, also while the store is away or a poll waits for its answer. */
  takeRaised(processName: string): void {
    const { book, kept, handler, stopping } = this.#parts;
    const alarm = kept.alarm(processName);
    if (alarm === undefined || stopping.aborted) return;
    handler.take([book.raise(alarm)], book.lastPoll);
  }

  /** Asks the store who is in alarm, and does nothing about it; undefined if it does not answer. Never rejects. */
  async look(): Promise<Answer | undefined> {
    const { book, config, watch, clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    const poll = book.startPoll();
    const { store, processNames } = config.current();
    // After a reload, the answer of an earlier store (or that it was closed) says nothing about the present one, which is asked next.
    const isPast = (): boolean => store !== config.current().store;
    try {
      const { rows, ...others } = await store.readAlarms(processNames);
      if (isPast()) return undefined;
      const polled = { ...others, alarms: rows.map(storedAlarm) };
      watch.answered(polled, Math.round(clock.monotonicMs() - startedMs));
      return { ...polled, poll };
    } catch (error) {
      if (!isPast()) watch.failed(error);
      return undefined;
    }
  }

  #take({ alarms, leftOut, poll }: Answer, early: boolean): void {
    const { book, kept, handler, interruptedRuns, events } = this.#parts;
    // It is not known whether alarms that were left out are still active.
    const isComplete = leftOut === 0;
    const keptAlarms = kept.alarms();
    const entries = [...book.replace('store', alarms, poll, isComplete), ...book.replace('kept', keptAlarms, poll)];
    if (isComplete) interruptedRuns.sweep([...alarms, ...keptAlarms]);
    handler.take(entries, poll, early);
    if (isComplete) events.emit({ type: 'alarms_taken', keys: new Set(entries.map(({ key }) => key)) });
    this.#keptWait(early);
  }

  /** Failed polls come more often than regular ones. Kept alarms that failed are tried only as often as with a store. */
  #takeAllKept(early: boolean): void {
    const { book, kept, handler } = this.#parts;
    const poll = book.lastPoll;
    handler.take(book.replace('kept', kept.alarms(), poll), poll, early);
    this.#keptWait(early);
  }

  #keptWait(early: boolean): void {
    const { config, clock } = this.#parts;
    if (!early) this.#keptDueMs = clock.monotonicMs() + config.current().monitor.checkIntervalMs;
  }

  /** Milliseconds until the next regular poll. While the store is away or a clearing is pending: exponential backoff with full jitter. */
  #pauseMs(): number {
    const { config, clock, random, clearing, watch } = this.#parts;
    if (watch.availability.state === 'unknown') return backoffMs(Math.max(watch.faults, watch.doubts), random);
    this.#retries = clearing.isPending ? this.#retries + 1 : 0;
    const nowMs = clock.monotonicMs();
    const dueMs = this.#grid.pauseMs(nowMs, config.current().monitor.checkIntervalMs);
    this.#dueMs = nowMs + dueMs;
    return this.#retries > 0 ? Math.min(dueMs, backoffMs(this.#retries, random)) : dueMs;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const end = clock.monotonicMs() + ms;
    while (!signal.aborted && clock.monotonicMs() < end) {
      this.#parts.onHeartbeat();
      await clock.sleep(Math.min(end - clock.monotonicMs(), this.#parts.heartbeatMs), signal);
    }
  }

  /** Keeps the heartbeat going while a poll waits for the store. */
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
    // With a reason, because without one an error with a stack is made each time.
    done.abort('polled');
    await beat;
  }
}
