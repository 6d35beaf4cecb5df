import type { ManagedProcess } from './alarm.ts';

/**
 * Everything the daemon does that somebody may want to know of. Times are wall clock; durations milliseconds. `by`: who ordered it
 * (system/who.ts), `SIGHUP`; null if nobody did.
 */
export type MonitorEvent =
  | { readonly type: 'poll_completed'; readonly alarms: number; readonly durationMs: number }
  /** Something else than a poll was not answered: who is in alarm is not known until the next poll. */
  | { readonly type: 'store_doubted' }
  | { readonly type: 'store_lost'; readonly reason: string }
  | { readonly type: 'store_restored'; readonly awayMs: number }
  | { readonly type: 'alarm_found'; readonly process: ManagedProcess; readonly notes: string | null }
  | { readonly type: 'recovery_started'; readonly process: ManagedProcess; readonly target: string; readonly strategy: string }
  | {
      readonly type: 'attempt_started';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly attempt: number;
      readonly maxAttempts: number;
    }
  | {
      readonly type: 'attempt_failed';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly attempt: number;
      readonly reason: string;
      /** The last lines that the unit or command wrote, at most 5, printable; absent if there are none. */
      readonly output?: readonly string[] | undefined;
    }
  | {
      readonly type: 'health_check_passed';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly durationMs: number;
    }
  | {
      readonly type: 'recovery_succeeded';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly attempts: number;
      readonly durationMs: number;
    }
  | {
      readonly type: 'recovery_failed';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly reason: string;
      /** As of attempt_failed: of the last attempt. */
      readonly output?: readonly string[] | undefined;
      readonly durationMs: number;
    }
  /** It was restarted, and whether it is well cannot be told. */
  | {
      readonly type: 'recovery_unproved';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly reason: string;
      readonly durationMs: number;
    }
  /** A recovery that began for another process of the same target ended, well or not, and was this one's too. */
  | { readonly type: 'recovery_shared'; readonly process: ManagedProcess; readonly leaderName: string }
  | { readonly type: 'recovery_skipped'; readonly process: ManagedProcess; readonly reason: string }
  | { readonly type: 'alarm_cleared'; readonly process: ManagedProcess; readonly sinceFoundMs: number }
  | {
      readonly type: 'breaker_opened';
      readonly target: string;
      readonly processName: string;
      readonly reason: string;
      readonly cooldownMs: number;
    }
  | { readonly type: 'breaker_half_opened'; readonly target: string; readonly processName: string }
  | { readonly type: 'breaker_closed'; readonly target: string; readonly processName: string; readonly by: string | null }
  | {
      readonly type: 'hold_set';
      /** null: everything. */
      readonly name: string | null;
      readonly until: Date | null;
      readonly reason: string;
      readonly by: string | null;
    }
  /** `by` is null if it expired, `name` if it was the one on everything. */
  | { readonly type: 'hold_released'; readonly name: string | null; readonly expired: boolean; readonly by: string | null }
  /** An order that changes something and that no other event tells of. */
  | {
      readonly type: 'order_given';
      readonly order: 'restart' | 'alarm' | 'alarm_clear' | 'breaker_reset' | 'pin' | 'unpin';
      readonly name: string;
      readonly by: string;
      /** The notes of an alarm, the command line of a pin; may be empty. */
      readonly detail: string;
    }
  /** A process that is watched runs; `since`: when it was started; `unit`: where it runs in one. Told again for each new life of it. */
  | {
      readonly type: 'process_seen';
      readonly processName: string;
      readonly pid: number;
      readonly since: Date;
      readonly unit?: string | undefined;
    }
  /**
   * The last process of a watched one has exited. `cause`: `exit code 1`, `signal SIGSEGV (core dumped)`, `unknown cause`.
   * `expected`: we, or an operator by systemctl(1), have stopped it; then it raises no alarm. `ours`: a recovery was under way when it
   * ended, so that nobody has said that it should not run. `unasked`: expected only because systemd starts it
   * again. `repeated`: told of as such before, and systemd has given it up since.
   */
  | {
      readonly type: 'process_exited';
      readonly processName: string;
      readonly pid: number;
      readonly cause: string;
      readonly uptimeMs: number;
      readonly at: Date;
      readonly expected: boolean;
      readonly ours?: true;
      readonly unasked?: true;
      readonly repeated?: true;
    }
  | { readonly type: 'config_reloaded'; readonly changes: readonly string[]; readonly by: string };

/** The event of that type. */
export type EventOf<T extends MonitorEvent['type']> = Extract<MonitorEvent, { readonly type: T }>;

/** The one way to learn of things: observers subscribe, those who decide emit. */
export class EventBus {
  #listeners = new Set<(event: MonitorEvent) => void>();
  #onListenerError: (error: unknown) => void;

  /** `onListenerError` hears of a subscriber that threw; the others and the emitter never notice. */
  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  /** Calls every subscriber, in order of subscription, before it returns. */
  emit(event: MonitorEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  /** Adds a subscriber; the returned function removes it. */
  subscribe(listener: (event: MonitorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
