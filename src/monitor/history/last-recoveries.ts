// How the last recovery of each process ended.
import type { EventBus } from '../../core/events.ts';
import type { LastRecoveryRecord, LastRecoveryRecords } from '../../state/daemon-state.ts';
import { recoveredWords } from './record.ts';

type LastRecovery = NonNullable<LastRecoveryRecord['last']>;

/** How the last recovery of each process ended, across restarts of the daemon. */
export class LastRecoveries {
  readonly #records: LastRecoveryRecords;
  readonly #known: Map<string, LastRecoveryRecord>;

  /** Reads the records; from then on they are only written. */
  constructor(records: LastRecoveryRecords) {
    this.#records = records;
    this.#known = new Map(records.list().map((record) => [record.processName, record]));
  }

  /** Follows the events from now on. */
  follow(events: EventBus): void {
    events.subscribe((event) => {
      switch (event.type) {
        case 'recovery_succeeded':
          return this.#ended(event.process.processName, 'recovered', event.at, recoveredWords(event));
        case 'recovery_failed':
          return this.#ended(event.process.processName, 'failed', event.at, event.reason);
        case 'recovery_unproved':
          return this.#ended(event.process.processName, 'not_proved', event.at, event.reason);
        case 'recovery_shared': {
          const shared = this.of(event.leaderName);
          return shared && this.#set(event.process.processName, { last: shared, isMended: false });
        }
        case 'breaker_opened':
          return this.#set(event.processName, { openedFor: event.reason });
        case 'breaker_closed':
          return this.#set(event.processName, { isMended: true });
        case 'order_given':
          return MENDING.includes(event.order) ? this.#set(event.name, { isMended: true }) : undefined;
        default:
          return undefined;
      }
    });
  }

  of(processName: string): LastRecovery | undefined {
    return this.#known.get(processName)?.last ?? undefined;
  }

  /** Why the breaker of this name was last opened, in one line; undefined if that is not remembered. */
  openedFor(processName: string): string | undefined {
    return this.#known.get(processName)?.openedFor ?? undefined;
  }

  /** Names whose last recovery failed, and that nobody has declared to be well since. */
  failed(): string[] {
    const failed = [...this.#known.values()].filter(({ last, isMended }) => last?.outcome === 'failed' && !isMended);
    return failed.map(({ processName }) => processName);
  }

  /**
   * Why the last one failed, in one line; undefined if it did not, if the process has begun a life since (`since`), or if an operator
   * has reset its breaker or ended its alarm since.
   */
  failureOf(processName: string, since: Date | undefined): string | undefined {
    const { last, isMended } = this.#known.get(processName) ?? { last: null, isMended: false };
    if (last?.outcome !== 'failed' || isMended) return undefined;
    if (since !== undefined && since.getTime() > last.at.getTime()) return undefined;
    return `the last recovery failed: ${last.detail}`;
  }

  #ended(processName: string, outcome: LastRecovery['outcome'], at: Date, detail: string): void {
    this.#set(processName, { last: { at, outcome, detail }, isMended: false });
  }

  #set(processName: string, change: Partial<LastRecoveryRecord>): void {
    const known = this.#known.get(processName) ?? { last: null, openedFor: null, isMended: false };
    const record = { ...known, ...change, processName };
    this.#known.set(processName, record);
    for (const forgotten of this.#records.set(record)) this.#known.delete(forgotten);
  }
}

/** Orders by which an operator says that a process is well. */
const MENDING: readonly string[] = ['breaker_reset', 'alarm_clear'];

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
