import { storeFaults } from '../core/errors.ts';
import type { ServiceContact } from '../system/systemd/service-manager.ts';
import { processStateNames } from './process-state.ts';
import { anyText, count, flag, listOf, nullable, object, oneOf, optional, type Shape, type Shaped, texts } from './shape.ts';

// What the daemon tells of itself and of each process. Times are ISO 8601 with offset Z; durations milliseconds.

/** What is known of the alarm store. */
export const storeStatus = object({
  description: anyText,
  /** `unknown`: it does not answer; then `alarms` is null: that is not "no alarms". */
  state: oneOf('ok', 'unknown', 'starting'),
  since: nullable(anyText),
  reason: nullable(anyText),
  /** The kind of `reason`: `denied` is a refused login; absent if there is none, or it is none of the store's. */
  fault: optional(oneOf(...storeFaults)),
  /** When it answered last; null: it has not yet. */
  lastPollAt: nullable(anyText),
  /** Rows in alarm at the last poll; null while unknown. */
  alarms: nullable(count),
  /** How many more are in alarm than are taken at once; absent from older daemons. */
  leftOut: optional(count),
  /** How many of `alarms` have no name in PROCESE: nothing says what to heal; absent from older daemons. */
  nameless: optional(count),
  /** What is odd about its tables or rows, a line each; absent from older daemons. */
  remarks: optional(texts),
});

/** The keys of an AlarmRow. */
export const alarmFields = {
  /** As the database writes it; null: the daemon keeps the alarm itself, for the store did not take it. */
  processId: nullable(anyText),
  /** At most 1,024 characters. */
  notes: nullable(anyText),
  /** Since when the daemon has seen it in alarm; null if that is not known (no daemon runs). */
  since: nullable(anyText),
  /** `sound` = 1: an operator acknowledged it, and it is left alone. */
  acknowledged: flag,
};

const alarmRow = object(alarmFields);

/** One alarm of a process. */
export type AlarmRow = Shaped<typeof alarmRow>;

/** `not_proved`: it was restarted, and nobody could tell whether it was well. */
const recoveryOutcome = oneOf('recovered', 'failed', 'not_proved');

/** The shape of a ProcessStatus. */
export const processStatus = object({
  name: anyText,
  /** As the database writes it. */
  processId: nullable(anyText),
  target: nullable(anyText),
  strategy: anyText,
  /** null: that is not known, for the store does not answer, or more rows are in alarm than are read; `rows` has what was read last. */
  inAlarm: nullable(flag),
  /** Its rows in alarm when the store was read last (store.lastPollAt), and an alarm that the daemon itself keeps; [] if there was none. */
  rows: listOf(alarmRow),
  state: oneOf(...processStateNames),
  /** Why it is in that state, one sentence for people; null if the word says all there is. */
  reason: nullable(anyText),
  /** Names of those it depends on whose end it waits for before it is restarted; [] if it does not wait. */
  waitingFor: texts,
  breaker: object({ state: oneOf('closed', 'open', 'half_open'), failures: count, remainingMs: count }),
  /** The alarm is kept by the daemon itself: the store did not take it. */
  alarmKept: flag,
  /**
   * null if it is not watched (watch_exit). `runs` is null if that is not known; `stopped`: it does not run, and somebody wanted
   * that. `pid`: of its present life, or of its last one; 0 if nobody has seen that. `since` is null if it does not run; `exits`
   * counts those that nobody had asked for.
   */
  watched: nullable(
    object({
      runs: nullable(flag),
      stopped: flag,
      pid: count,
      since: nullable(anyText),
      exits: count,
      lastExit: nullable(object({ at: anyText, cause: anyText, uptimeMs: count, expected: flag })),
    }),
  ),
  /** Another supervisor that starts it again when it ends, `supervisord (pid 12)`; null if none is known, absent from older daemons. */
  supervisor: optional(nullable(anyText)),
  lastRecovery: nullable(object({ at: anyText, outcome: recoveryOutcome, detail: anyText })),
  /**
   * Why its program would not be started again as things stand, with the cure; null: nothing is known of that. Absent from older
   * daemons.
   */
  concern: optional(nullable(anyText)),
  /** Since when its program is pinned; null: it is not. Absent from older daemons. */
  pinnedAt: optional(nullable(anyText)),
});

/** One process, as `status` lists it. */
export type ProcessStatus = Shaped<typeof processStatus>;

/** The shape of a HoldStatus. */
export const holdStatus = object({
  /** A process's; null: all are held. */
  name: nullable(anyText),
  until: nullable(anyText),
  reason: anyText,
  /** Also what something else only wants is not started; absent: it is. */
  strict: optional(flag),
});

/** A hold, of one name or of all. */
export type HoldStatus = Shaped<typeof holdStatus>;

const serviceContact: Shape<ServiceContact> = object({
  connection: nullable(oneOf('private', 'bus')),
  problem: nullable(anyText),
  units: nullable(oneOf('bus', 'looks')),
  unheard: count,
});

const eventListenerStatus = object({
  kind: oneOf('unix', 'tcp'),
  /** The socket's path, or `HOST:PORT` as configured. */
  address: anyText,
  /** `unavailable`: nobody listens there; it is tried again. */
  state: oneOf('open', 'unavailable'),
  /** Why not; null while it is open. */
  reason: nullable(anyText),
});

/** One place where the stream of process events is to be had. */
export type EventListenerStatus = Shaped<typeof eventListenerStatus>;

const eventStreamStatus = object({
  /** `open`: it can be had in one place at least; `unavailable`: in none, `reason` says why. */
  state: oneOf('open', 'unavailable'),
  reason: nullable(anyText),
  clients: count,
  /** Events that the kernel could not deliver, since the daemon's start. */
  lost: count,
  /** Lines that did not fit the queue of a client that was too slow, of all clients. */
  dropped: count,
  /** Logins over TCP that failed; absent from older daemons. */
  failedLogins: optional(count),
  /** Each place where it is to be had, open or not; absent from older daemons. */
  listeners: optional(listOf(eventListenerStatus)),
});

/** The stream of process events. */
export type EventStreamStatus = Shaped<typeof eventStreamStatus>;

/** The shape of a DaemonStatus. */
export const daemonStatus = object({
  version: anyText,
  /** `[host] name`; absent from older daemons. */
  host: optional(anyText),
  /** 0 if no daemon runs and the command line looked at store and state itself. */
  pid: count,
  startedAt: nullable(anyText),
  mode: oneOf('act', 'observe'),
  /** An absolute path. */
  configFile: anyText,
  store: storeStatus,
  /** Recoveries under way. */
  recovering: count,
  /** Every process in alarm, with a section of its own, with a breaker that is not at rest, held, watched, or pinned. */
  processes: listOf(processStatus),
  holds: listOf(holdStatus),
  /** By which ways systemd is spoken to and heard; null if it does not run, absent from older daemons. */
  systemd: optional(nullable(serviceContact)),
  /** The event stream; null while it is off (no `[events]`, or no daemon), absent from older daemons. */
  events: optional(nullable(eventStreamStatus)),
  /** By which means exits of watched processes are noticed, for people; null if none is watched, absent from older daemons. */
  exitWatch: optional(nullable(anyText)),
});

/** What `monitor_service status --json` prints. */
export type DaemonStatus = Shaped<typeof daemonStatus>;

/** The shape of a RecoveryRecord. */
export const recoveryRecord = object({
  at: anyText,
  outcome: recoveryOutcome,
  /** Why it failed, or could not be proved, or `2 attempts, 1.5 s`. */
  detail: anyText,
  /** The last lines of output of what failed, at most five; [] if there were none. */
  output: texts,
});

/** How one recovery ended. */
export type RecoveryRecord = Shaped<typeof recoveryRecord>;
