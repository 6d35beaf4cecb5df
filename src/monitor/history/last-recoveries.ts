// How the last recovery of each process ended.
import type { ProcessStatus } from '../../control/status.ts';
import type { Clock } from '../../core/clock.ts';
import type { EventBus } from '../../core/events.ts';
import type { History } from '../../state/daemon-state.ts';
import { orderWords, recoveredWords } from './record.ts';

type LastRecovery = NonNullable<ProcessStatus['lastRecovery']>;

/** How the last recovery of each process ended, across restarts of the daemon. */
export class LastRecoveries {
  readonly #last = new Map<string, LastRecovery>();
  /** Why the breaker of each was opened last. */
  readonly #opened = new Map<string, string>();
  /** Names whose breaker an operator has reset since, or whose alarm they have cleared: the failure no longer counts. */
  readonly #mended = new Set<string>();

  /** Loads what the history knows. */
  load(history: History): void {
    history.replay(({ at, type, processName, detail }) => {
      if (type === 'recovery_shared') this.#share(processName, detail);
      if (type === 'breaker_opened') this.#opened.set(processName, detail);
      // After a failure nothing else closes it.
      if (type === 'breaker_closed' || (type === 'order_given' && isMending(detail))) this.#mended.add(processName);
      const outcome = outcomeOf(type);
      if (outcome !== undefined) this.#set(processName, at, outcome, detail);
    });
  }

  /** Follows the events from now on. */
  follow(events: EventBus, clock: Clock): void {
    events.subscribe((event) => {
      if (event.type === 'recovery_succeeded') {
        this.#set(event.process.processName, clock.date(), 'recovered', recoveredWords(event));
      }
      if (event.type === 'recovery_failed') this.#set(event.process.processName, clock.date(), 'failed', event.reason);
      if (event.type === 'recovery_unproved') this.#set(event.process.processName, clock.date(), 'not_proved', event.reason);
      if (event.type === 'recovery_shared') this.#share(event.process.processName, event.leaderName);
      if (event.type === 'breaker_opened') this.#opened.set(event.processName, event.reason);
      if (event.type === 'breaker_closed') this.#mended.add(event.processName);
      if (event.type === 'order_given' && MENDING.includes(event.order)) this.#mended.add(event.name);
    });
  }

  of(processName: string): LastRecovery | undefined {
    return this.#last.get(processName);
  }

  /** Why the breaker of this name was last opened, in one line; undefined if that is not remembered. */
  openedFor(processName: string): string | undefined {
    return this.#opened.get(processName);
  }

  /** Names whose last recovery failed, and that nobody has declared to be well since. */
  failed(): string[] {
    return [...this.#last].flatMap(([name, { outcome }]) => (outcome === 'failed' && !this.#mended.has(name) ? [name] : []));
  }

  /**
   * Why the last one failed, in one line; undefined if it did not, if the process has begun a life since (`since`), or if an operator
   * has reset its breaker or ended its alarm since.
   */
  failureOf(processName: string, since: Date | undefined): string | undefined {
    const last = this.#last.get(processName);
    if (last?.outcome !== 'failed' || this.#mended.has(processName)) return undefined;
    if (since !== undefined && since.getTime() > Date.parse(last.at)) return undefined;
    return `the last recovery failed: ${last.detail}`;
  }

  #share(processName: string, leaderName: string): void {
    const shared = this.#last.get(leaderName);
    if (shared === undefined) return;
    this.#mended.delete(processName);
    this.#last.set(processName, shared);
  }

  #set(processName: string, at: Date, outcome: LastRecovery['outcome'], detail: string): void {
    this.#mended.delete(processName);
    this.#last.set(processName, { at: at.toISOString(), outcome, detail });
  }
}

/** Orders by which an operator says that a process is well. */
const MENDING: readonly string[] = ['breaker_reset', 'alarm_clear'];

function isMending(detail: string): boolean {
  return detail.startsWith(orderWords.breaker_reset) || detail.startsWith(orderWords.alarm_clear);
}

/** The outcome that an entry of the history reports; undefined for one that does not report the end of a recovery. */
export function outcomeOf(type: string): LastRecovery['outcome'] | undefined {
  switch (type) {
    case 'recovery_succeeded':
      return 'recovered';
    case 'recovery_failed':
      return 'failed';
    case 'recovery_unproved':
      return 'not_proved';
    default:
      return undefined;
  }
}
