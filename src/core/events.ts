// Everything that the daemon reports to observers, and the bus that carries it.
import type { ManagedProcess } from './alarm.ts';

/**
 * Everything that the daemon does and that somebody may want to know. Times are wall clock, durations milliseconds. `by`: who
 * ordered it (system/who.ts), or `SIGHUP`; null if nobody did.
 */
export type MonitorEvent =
  | { readonly type: 'poll_completed'; readonly alarms: number; readonly durationMs: number }
  /** A call other than a poll got no answer: which processes are in alarm is not known until the next poll. */
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
      /** The same for the last attempt; see attempt_failed. */
      readonly output?: readonly string[] | undefined;
      readonly durationMs: number;
    }
  /** The process was restarted, but whether it is healthy cannot be determined. */
  | {
      readonly type: 'recovery_unproved';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly reason: string;
      readonly durationMs: number;
    }
  /** A recovery that began for another process of the same target ended, successful or not, and was also for this process. */
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
  /** An order that changes something and that no other event reports. */
  | {
      readonly type: 'order_given';
      readonly order: 'restart' | 'alarm' | 'alarm_clear' | 'breaker_reset' | 'pin' | 'unpin';
      readonly name: string;
      readonly by: string;
      /** The notes of an alarm, or the command line of a pin; may be empty. */
      readonly detail: string;
    }
  /**
   * A watched process runs; `since`: when it was started; `unit`: the systemd unit that it runs in, if any. Emitted again for
   * each new life of the process.
   */
  | {
      readonly type: 'process_seen';
      readonly processName: string;
      readonly pid: number;
      readonly since: Date;
      readonly unit?: string | undefined;
    }
  /**
   * The last process of a watched process has exited. `cause`: `exit code 1`, `signal SIGSEGV (core dumped)`, `unknown cause`.
   * `expected`: we, or an operator with systemctl(1), stopped it, so it raises no alarm. `ours`: it ended during a recovery, so
   * nothing says that it should not run. `unasked`: expected only because systemd starts it again. `repeated`: reported as such
   * before, and systemd has given up since.
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

/** The only way in which observers learn about events: they subscribe, and the parts that decide emit. */
export class EventBus {
  #listeners = new Set<(event: MonitorEvent) => void>();
  #onListenerError: (error: unknown) => void;

  /** `onListenerError` gets the error of a subscriber that threw; the emitter and the other subscribers do not notice. */
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
