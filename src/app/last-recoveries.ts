import type { ProcessStatus } from '../control/orders.ts';
import type { Clock } from '../core/clock.ts';
import { counted } from '../core/counted.ts';
import type { EventBus } from '../core/events.ts';
import type { History } from '../state/daemon-state.ts';

type LastRecovery = NonNullable<ProcessStatus['lastRecovery']>;

/** How the last recovery of each process ended, across restarts of the daemon. */
export class LastRecoveries {
  readonly #last = new Map<string, LastRecovery>();

  /** Takes up what the history knows. */
  load(history: History): void {
    for (const { at, type, processName, detail } of history.recent(HISTORY_ROWS)) {
      if (type === 'recovery_succeeded') this.#set(processName, at, 'recovered', detail);
      if (type === 'recovery_failed') this.#set(processName, at, 'failed', detail);
      if (type === 'recovery_shared') this.#share(processName, detail);
    }
  }

  /** Learns of those to come. */
  follow(events: EventBus, clock: Clock): void {
    events.subscribe((event) => {
      if (event.type === 'recovery_succeeded') {
        this.#set(
          event.process.processName,
          clock.date(),
          'recovered',
          `${counted(event.attempts, 'attempt', 'attempts')}, ${event.durationMs} ms`,
        );
      }
      if (event.type === 'recovery_failed') this.#set(event.process.processName, clock.date(), 'failed', event.reason);
      if (event.type === 'recovery_shared') this.#share(event.process.processName, event.leaderName);
    });
  }

  of(processName: string): LastRecovery | undefined {
    return this.#last.get(processName);
  }

  #share(processName: string, leaderName: string): void {
    const shared = this.#last.get(leaderName);
    if (shared !== undefined) this.#last.set(processName, shared);
  }

  #set(processName: string, at: Date, outcome: LastRecovery['outcome'], detail: string): void {
    this.#last.set(processName, { at: at.toISOString(), outcome, detail });
  }
}

const HISTORY_ROWS = 10_000;
