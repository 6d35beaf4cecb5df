import type { StoreFault } from '../core/errors.ts';
import type { RestartPreview } from '../core/outcomes.ts';
import type { ServiceContact } from '../system/systemd/service-manager.ts';
import type { ProcessState } from './process-state.ts';

/** What `monitor_service status --json` prints. Times are ISO 8601 with offset Z; durations milliseconds. */
export interface DaemonStatus {
  readonly version: string;
  /** `[host] name`; absent from older daemons. */
  readonly host?: string | undefined;
  /** 0 if no daemon runs and the command line looked at store and state itself. */
  readonly pid: number;
  readonly startedAt: string | null;
  readonly mode: 'act' | 'observe';
  /** An absolute path. */
  readonly configFile: string;
  readonly store: {
    readonly description: string;
    /** `unknown`: it does not answer; then `alarms` is null: that is not "no alarms". */
    readonly state: 'ok' | 'unknown' | 'starting';
    readonly since: string | null;
    readonly reason: string | null;
    /** The kind of `reason`: `denied` is a refused login; absent if there is none, or it is none of the store's. */
    readonly fault?: StoreFault | undefined;
    /** When it answered last; null: it has not yet. */
    readonly lastPollAt: string | null;
    /** Rows in alarm at the last poll; null while unknown. */
    readonly alarms: number | null;
    /** How many more are in alarm than are taken at once; absent from older daemons. */
    readonly leftOut?: number | undefined;
    /** How many of `alarms` have no name in PROCESE: nothing says what to heal; absent from older daemons. */
    readonly nameless?: number | undefined;
    /** What is odd about its tables or rows, a line each; absent from older daemons. */
    readonly remarks?: readonly string[] | undefined;
  };
  /** Recoveries under way. */
  readonly recovering: number;
  /** Every process in alarm, with a section of its own, with a breaker that is not at rest, held, watched, or pinned. */
  readonly processes: readonly ProcessStatus[];
  readonly holds: readonly HoldStatus[];
  /** By which ways systemd is spoken to and heard; null if it does not run, absent from older daemons. */
  readonly systemd?: ServiceContact | null | undefined;
  /** The event stream; null while it is off (no `[events]`, or no daemon), absent from older daemons. */
  readonly events?: EventStreamStatus | null | undefined;
  /** By which means exits of watched processes are noticed, for people; null if none is watched, absent from older daemons. */
  readonly exitWatch?: string | null | undefined;
}

/** The stream of process events. */
export interface EventStreamStatus {
  /** `open`: it can be had in one place at least; `unavailable`: in none, `reason` says why. */
  readonly state: 'open' | 'unavailable';
  readonly reason: string | null;
  readonly clients: number;
  /** Events that the kernel could not deliver, since the daemon's start. */
  readonly lost: number;
  /** Lines that did not fit the queue of a client that was too slow, of all clients. */
  readonly dropped: number;
  /** Logins over TCP that failed; absent from older daemons. */
  readonly failedLogins?: number | undefined;
  /** Each place where it is to be had, open or not; absent from older daemons. */
  readonly listeners?: readonly EventListenerStatus[] | undefined;
}

/** One place where it is to be had. */
export interface EventListenerStatus {
  readonly kind: 'unix' | 'tcp';
  /** The socket's path, or `HOST:PORT` as configured. */
  readonly address: string;
  /** `unavailable`: nobody listens there; it is tried again. */
  readonly state: 'open' | 'unavailable';
  /** Why not; null while it is open. */
  readonly reason: string | null;
}

/** One process, as `status` lists it. */
export interface ProcessStatus {
  readonly name: string;
  /** As the database writes it. */
  readonly processId: string | null;
  readonly target: string | null;
  readonly strategy: string;
  /** null: that is not known, for the store does not answer, or more rows are in alarm than are read; `rows` has what was read last. */
  readonly inAlarm: boolean | null;
  /** Its rows in alarm when the store was read last (store.lastPollAt), and an alarm that the daemon itself keeps; [] if there was none. */
  readonly rows: readonly AlarmRow[];
  readonly state: ProcessState;
  /** Why it is in that state, one sentence for people; null if the word says all there is. */
  readonly reason: string | null;
  /** Names of those it depends on whose end it waits for before it is restarted; [] if it does not wait. */
  readonly waitingFor: readonly string[];
  readonly breaker: {
    readonly state: 'closed' | 'open' | 'half_open';
    readonly failures: number;
    readonly remainingMs: number;
  };
  /** The alarm is kept by the daemon itself: the store did not take it. */
  readonly alarmKept: boolean;
  /**
   * null if it is not watched (watch_exit). `runs` is null if that is not known; `stopped`: it does not run, and somebody wanted
   * that. `pid`: of its present life, or of its last one; 0 if nobody has seen that. `since` is null if it does not run; `exits`
   * counts those that nobody had asked for.
   */
  readonly watched: {
    readonly runs: boolean | null;
    readonly stopped: boolean;
    readonly pid: number;
    readonly since: string | null;
    readonly exits: number;
    readonly lastExit: {
      readonly at: string;
      readonly cause: string;
      readonly uptimeMs: number;
      readonly expected: boolean;
    } | null;
  } | null;
  /** Another supervisor that starts it again when it ends, `supervisord (pid 12)`; null if none is known, absent from older daemons. */
  readonly supervisor?: string | null | undefined;
  readonly lastRecovery: { readonly at: string; readonly outcome: RecoveryRecord['outcome']; readonly detail: string } | null;
  /**
   * Why its program would not be started again as things stand, with the cure; null: nothing is known of that. Absent from older
   * daemons.
   */
  readonly concern?: string | null | undefined;
  /** Since when its program is pinned; null: it is not. Absent from older daemons. */
  readonly pinnedAt?: string | null | undefined;
}

/** One alarm of a process. */
export interface AlarmRow {
  /** As the database writes it; null: the daemon keeps the alarm itself, for the store did not take it. */
  readonly processId: string | null;
  /** At most 1,024 characters. */
  readonly notes: string | null;
  /** Since when the daemon has seen it in alarm; null if that is not known (no daemon runs). */
  readonly since: string | null;
  /** `sound` = 1: an operator acknowledged it, and it is left alone. */
  readonly acknowledged: boolean;
}

/** What `monitor_service status NAME --json` prints. */
export interface ProcessDetails {
  readonly process: ProcessStatus;
  /** 0: no daemon runs. */
  readonly pid: number;
  readonly store: DaemonStatus['store'];
  /**
   * All rows of that name, in alarm or not (null: not known, for a flag of it is no number), as the store says now; null: it does
   * not answer.
   */
  readonly rows: readonly (AlarmRow & { readonly inAlarm: boolean | null })[] | null;
  readonly hold: HoldStatus | null;
  /** What runs of it now; [] if nothing does. null: its strategy has no means to tell. */
  readonly running: readonly RunningStatus[] | null;
  /** The systemd unit that it is or runs in; null: in none. */
  readonly unit: string | null;
  /** The last five, newest first. */
  readonly recoveries: readonly RecoveryRecord[];
  /** What a restart would do now. */
  readonly restart: RestartPreview & { readonly strategy: string; readonly target: string };
  /** Where its output is to be read, `journalctl -u nginx.service`, or a file's path; null: that is not known. */
  readonly output: string | null;
}

/** One process that runs. */
export interface RunningStatus {
  readonly pid: number;
  readonly since: string;
  /** As its argv says, joined by blanks, at most 1,024 characters: a stranger's text. */
  readonly command: string;
  /** CPU time since its start over the time since then, 100 for a whole processor; null: not to be had. */
  readonly cpuPercent: number | null;
  /** Resident memory; null: not to be had. */
  readonly memoryBytes: number | null;
}

/** How one recovery ended. */
export interface RecoveryRecord {
  readonly at: string;
  /** `not_proved`: it was restarted, and nobody could tell whether it was well. */
  readonly outcome: 'recovered' | 'failed' | 'not_proved';
  /** Why it failed, or could not be proved, or `2 attempts, 1.5 s`. */
  readonly detail: string;
  /** The last lines of output of what failed, at most five; [] if there were none. */
  readonly output: readonly string[];
}

/** A hold, of one name or of all. */
export interface HoldStatus {
  /** A process's; null: all are held. */
  readonly name: string | null;
  readonly until: string | null;
  readonly reason: string;
  /** Also what something else only wants is not started; absent: it is. */
  readonly strict?: boolean | undefined;
}
