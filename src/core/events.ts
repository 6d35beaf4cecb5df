// Everything that the daemon reports to observers, and the bus that carries it.
import type { ManagedProcess } from './alarm.ts';
import type { Clock } from './clock.ts';

/**
 * Everything that the daemon does and that somebody may want to know. Times are wall clock, durations milliseconds. `by`: who
 * ordered it (system/who.ts), or `SIGHUP`; null if nobody did.
 */
export type MonitorEvent =
  /** `crashed`: its last run did not end in order; null if that is not known. */
  | { readonly type: 'daemon_started'; readonly version: string; readonly crashed: boolean | null }
  | { readonly type: 'poll_completed'; readonly alarms: number; readonly durationMs: number }
  /** A call other than a poll got no answer: which processes are in alarm is not known until the next poll. */
  | { readonly type: 'store_doubted' }
  | { readonly type: 'store_lost'; readonly reason: string }
  | { readonly type: 'store_restored'; readonly awayMs: number }
  /** The alarms that a poll has read are taken, `keys` (Alarm.key): an alarm that was found before and is not among them is over. */
  | { readonly type: 'alarms_taken'; readonly keys: ReadonlySet<string> }
  /**
   * `where`: in the store, kept by the daemon, or nowhere: an operator has acknowledged the row, or the detector has joined the alarm that
   * stands.
   */
  | {
      readonly type: 'alarm_raised';
      readonly processName: string;
      readonly by: AlarmSource;
      readonly notes: string;
      readonly where: 'stored' | 'kept' | 'acknowledged' | 'standing';
    }
  /** `key`: Alarm.key. */
  | {
      readonly type: 'alarm_found';
      readonly process: ManagedProcess;
      readonly key: string;
      readonly notes: string | null;
    }
  | { readonly type: 'recovery_started'; readonly process: ManagedProcess; readonly target: string; readonly strategy: string }
  | {
      readonly type: 'attempt_started';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly attempt: number;
      readonly maxAttempts: number;
    }
  /** The strategy has restarted it; `detail`: how, `systemctl restart nginx.service`. Whether it is well is checked next. */
  | {
      readonly type: 'attempt_restarted';
      readonly process: ManagedProcess;
      readonly target: string;
      readonly attempt: number;
      readonly detail: string;
    }
  /** A command of its recovery has written something; `description`: `restart_command of nginx`. */
  | {
      readonly type: 'command_output';
      readonly processName: string;
      readonly description: string;
      /** The last lines, at most 20, printable. */
      readonly output: readonly string[];
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
  /** `isObserved`: in `mode = act` it would have been restarted. */
  | { readonly type: 'recovery_skipped'; readonly process: ManagedProcess; readonly reason: string; readonly isObserved?: true }
  /** `key`: Alarm.key. */
  | { readonly type: 'alarm_cleared'; readonly process: ManagedProcess; readonly key: string; readonly sinceFoundMs: number }
  /** The trouble of a process or check begins; `by`: its first sign. */
  | { readonly type: 'incident_opened'; readonly name: string; readonly by: IncidentSign }
  /** What happens to that process from now on belongs to the incident of `leaderName`, if there is one. */
  | {
      readonly type: 'incident_joined';
      readonly processName: string;
      readonly leaderName: string;
      readonly why: 'same target' | 'depends on it';
    }
  /** `joined`: the incident that it belongs to from then on; null if it has not joined one. */
  | {
      readonly type: 'incident_closed';
      readonly name: string;
      readonly how: IncidentEnd;
      readonly durationMs: number;
      readonly joined: number | null;
    }
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
  /** An order that changes something and that no other event reports. `outcome`: what follows a restart has events of its own. */
  | {
      readonly type: 'order_given';
      readonly order: 'restart' | 'alarm' | 'alarm_clear' | 'breaker_reset' | 'pin' | 'unpin';
      readonly name: string;
      readonly by: string;
      /** The notes of an alarm, or the command line of a pin; may be empty. */
      readonly detail: string;
      readonly outcome: 'accepted' | 'done';
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
      readonly endedAt: Date;
      readonly expected: boolean;
      readonly ours?: true;
      readonly unasked?: true;
      readonly repeated?: true;
    }
  /** A look of a check that counts has ended; `reason`: one line; empty if it is ok. For people there is check_changed. */
  | {
      readonly type: 'check_looked';
      readonly name: string;
      readonly processName: string | null;
      readonly found: 'ok' | 'failing' | 'unknown';
      readonly reason: string;
      readonly durationMs: number;
    }
  /**
   * A check has another state; `off`: it is not configured any more. `processName`: whose alarm it raises; null: nobody's. `reason`: one
   * line; empty if it is ok. `isWarning`: it raises no alarm.
   */
  | {
      readonly type: 'check_changed';
      readonly name: string;
      readonly processName: string | null;
      readonly from: CheckState;
      readonly to: CheckState;
      readonly reason: string;
      readonly isWarning: boolean;
    }
  /** The configuration no longer says that it has to be watched. */
  | { readonly type: 'process_unwatched'; readonly processName: string }
  | { readonly type: 'config_reloaded'; readonly changes: readonly string[]; readonly by: string };

/** The state of a check. */
export type CheckState = 'ok' | 'failing' | 'unknown' | 'off';

/** Who raises an alarm: the exit of the process, a check, or an operator. */
export type AlarmSource = 'exit' | 'operator' | `check ${string}`;

/** The first sign of an incident. `outside`: an alarm that the daemon has not raised. */
export type IncidentSign = AlarmSource | 'outside';

/**
 * How an incident ends. `cleared`: the daemon has healed it and cleared the alarm; `over`: the alarm was ended by others; `runs`: it runs
 * again; `ok`: its check passes again; `unwatched`: nobody looks any more; `joined`: it belongs to another incident from then on.
 */
export type IncidentEnd = 'cleared' | 'over' | 'runs' | 'ok' | 'unwatched' | 'joined';

/** The event of that type. */
export type EventOf<T extends MonitorEvent['type']> = Extract<MonitorEvent, { readonly type: T }>;

/** An event as subscribers get it. `at`: when it was emitted; `incident`: the incident that it belongs to, null if to none. */
export type EmittedEvent = MonitorEvent & { readonly at: Date; readonly incident: number | null };

/** Decides to which incident events belong. */
export interface IncidentBook {
  /** What subscribers get for an event: the event itself, and before or after it the incidents that it opens or closes. Never throws. */
  take(event: MonitorEvent, at: Date): readonly EmittedEvent[];
}

/** The only way in which observers learn about events: they subscribe, and the parts that decide emit. */
export class EventBus {
  readonly #listeners = new Set<(event: EmittedEvent) => void>();
  readonly #clock: Clock;
  readonly #incidents: IncidentBook;
  readonly #onListenerError: (error: unknown) => void;

  /** `onListenerError` gets the error of a subscriber that threw; the emitter and the other subscribers do not notice. */
  constructor(clock: Clock, onListenerError: (error: unknown) => void, incidents: IncidentBook = NO_INCIDENTS) {
    this.#clock = clock;
    this.#incidents = incidents;
    this.#onListenerError = onListenerError;
  }

  /** Calls every subscriber, in order of subscription, before it returns. */
  emit(event: MonitorEvent): void {
    for (const emitted of this.#incidents.take(event, this.#clock.date())) {
      for (const listener of [...this.#listeners]) {
        try {
          listener(emitted);
        } catch (error) {
          this.#onListenerError(error);
        }
      }
    }
  }

  /** Adds a subscriber; the returned function removes it. */
  subscribe(listener: (event: EmittedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

const NO_INCIDENTS: IncidentBook = { take: (event, at) => [{ ...event, at, incident: null }] };
