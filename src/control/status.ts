import { storeFaults } from '../core/errors.ts';
import { flag, listOf, nullable, oneOf, optional, type Shape } from '../core/shape.ts';
import type { ServiceContact } from '../system/systemd/service-manager.ts';
import { processStateNames } from './process-state.ts';
import { anyText, count, object, type Shaped, texts } from './shape.ts';

// What the daemon reports about itself and each process. Times are ISO 8601 with offset Z; durations are milliseconds.

/** What is known about the alarm store. */
export const storeStatus = object({
  description: anyText,
  /** `unknown`: it does not answer; then `alarms` is null, which does not mean "no alarms". */
  state: oneOf('ok', 'unknown', 'starting'),
  since: nullable(anyText),
  reason: nullable(anyText),
  /** The kind of `reason`: `denied` is a refused login; absent if there is no reason, or if it is not a fault of the store. */
  fault: optional(oneOf(...storeFaults)),
  /** When it last answered; null: it has not answered yet. */
  lastPollAt: nullable(anyText),
  /** Rows in alarm at the last poll; null while unknown. */
  alarms: nullable(count),
  /** How many rows in alarm were left out, because a poll reads only so many; absent from older daemons. */
  leftOut: optional(count),
  /** How many of `alarms` have no name in PROCESE, so that what to heal is not known; absent from older daemons. */
  nameless: optional(count),
  /** What is unusual about its tables or rows, a line each; absent from older daemons. */
  remarks: optional(texts),
});

/** The keys of an AlarmRow. */
export const alarmFields = {
  /** As the database writes it; null: a kept alarm, which the store did not take. */
  processId: nullable(anyText),
  /** At most 1,024 characters. */
  notes: nullable(anyText),
  /** Since when the daemon has seen it in alarm; null if that is not known (no daemon runs). */
  since: nullable(anyText),
  /** `sound` = 1: an operator acknowledged it, so nothing is restarted for it. */
  acknowledged: flag,
};

const alarmRow = object(alarmFields);

/** One alarm of a process. */
export type AlarmRow = Shaped<typeof alarmRow>;

/** `not_proved`: it was restarted, but whether it was healthy could not be determined. */
const recoveryOutcome = oneOf('recovered', 'failed', 'not_proved');

/** The shape of a ProcessStatus. */
export const processStatus = object({
  name: anyText,
  /** As the database writes it. */
  processId: nullable(anyText),
  target: nullable(anyText),
  strategy: anyText,
  /**
   * null: not known, because the store does not answer or more rows are in alarm than are read; `rows` has the last known ones.
   */
  inAlarm: nullable(flag),
  /** Its rows in alarm when the store was last read (store.lastPollAt), and its kept alarm; [] if there was none. */
  rows: listOf(alarmRow),
  state: oneOf(...processStateNames),
  /** Why it is in that state, one sentence for people; null if the state itself says everything. */
  reason: nullable(anyText),
  /** Names of the processes whose recovery it waits for before it is restarted; [] if it does not wait. */
  waitingFor: texts,
  breaker: object({ state: oneOf('closed', 'open', 'half_open'), failures: count, remainingMs: count }),
  /** The daemon stores the alarm locally, because the store did not take it. */
  alarmKept: flag,
  /**
   * null if it is not watched (watch_exit). `runs` is null if that is not known; `stopped`: it does not run, and somebody
   * stopped it on purpose. `pid`: its present pid, or its last one; 0 if none has been seen. `since` is null if it does not
   * run; `exits` counts the exits that nobody asked for.
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
  /**
   * Another supervisor that restarts it when it ends, `supervisord (pid 12)`; null if none is known, absent from older daemons.
   */
  supervisor: optional(nullable(anyText)),
  lastRecovery: nullable(object({ at: anyText, outcome: recoveryOutcome, detail: anyText })),
  /**
   * Why its program would not be started again at present, and what to do; null: no reason is known. Absent from older daemons.
   */
  concern: optional(nullable(anyText)),
  /** Since when its program is pinned; null: not pinned. Absent from older daemons. */
  pinnedAt: optional(nullable(anyText)),
});

/** One process, as `status` lists it. */
export type ProcessStatus = Shaped<typeof processStatus>;

/** The shape of a HoldStatus. */
export const holdStatus = object({
  /** The name of the held process; null: all are held. */
  name: nullable(anyText),
  until: nullable(anyText),
  reason: anyText,
  /** true: it is not started either if something else only wants it; absent: it is. */
  strict: optional(flag),
});

/** A hold of one name, or of all. */
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
  /** `unavailable`: the daemon does not listen there, and tries again. */
  state: oneOf('open', 'unavailable'),
  /** Why not; null while it is open. */
  reason: nullable(anyText),
});

/** One address where clients can get the stream of process events. */
export type EventListenerStatus = Shaped<typeof eventListenerStatus>;

const eventStreamStatus = object({
  /** `open`: it is available at one address at least; `unavailable`: at none, `reason` says why. */
  state: oneOf('open', 'unavailable'),
  reason: nullable(anyText),
  clients: count,
  /** Events since the daemon's start that the kernel could not deliver. */
  lost: count,
  /** Lines that did not fit the queue of a slow client, for all clients together. */
  dropped: count,
  /** Logins over TCP that failed; absent from older daemons. */
  failedLogins: optional(count),
  /** Each configured address, open or not; absent from older daemons. */
  listeners: optional(listOf(eventListenerStatus)),
});

/** The stream of process events. */
export type EventStreamStatus = Shaped<typeof eventStreamStatus>;

/** The shape of a CheckStatus. */
export const checkStatus = object({
  /** NAME of `[check.NAME]`. */
  name: anyText,
  /** `type` of its section. */
  type: anyText,
  /** Whose alarm it raises; null: nobody's. */
  process: nullable(anyText),
  state: oneOf('ok', 'failing', 'unknown'),
  /** It raises no alarm: `severity = warning`, or its last look was only a warning. */
  isWarning: flag,
  /** One line; null if it is ok. */
  reason: nullable(anyText),
  /** Since when it has that state. */
  since: anyText,
  /** When its target was looked at last; null: not yet. */
  lookedAt: nullable(anyText),
});

/** What is known of one check. */
export type CheckStatus = Shaped<typeof checkStatus>;

/** The shape of a DaemonStatus. */
export const daemonStatus = object({
  version: anyText,
  /** `[host] name`; absent from older daemons. */
  host: optional(anyText),
  /** 0 if no daemon runs and the command line read store and state itself. */
  pid: count,
  startedAt: nullable(anyText),
  mode: oneOf('act', 'observe'),
  /** An absolute path. */
  configFile: anyText,
  store: storeStatus,
  /** Recoveries under way. */
  recovering: count,
  /** Every process that is in alarm, held, watched or pinned, or that has its own section or a breaker that is not at rest. */
  processes: listOf(processStatus),
  holds: listOf(holdStatus),
  /** How the daemon talks to systemd and learns of changes; null if systemd does not run, absent from older daemons. */
  systemd: optional(nullable(serviceContact)),
  /** The event stream; null while it is off (no `[events]`, or no daemon), absent from older daemons. */
  events: optional(nullable(eventStreamStatus)),
  /** What is known of each check; null if none is configured or no daemon runs, absent from older daemons. */
  checks: optional(nullable(listOf(checkStatus))),
  /** How exits of watched processes are noticed, for people; null if none is watched, absent from older daemons. */
  exitWatch: optional(nullable(anyText)),
  /** Why what the daemon remembers is lost when it ends; null if it is saved, absent from older daemons. */
  unsaved: optional(nullable(anyText)),
});

/** What `monitor_service status --json` prints. */
export type DaemonStatus = Shaped<typeof daemonStatus>;

/** The shape of a RecoveryRecord. */
export const recoveryRecord = object({
  at: anyText,
  outcome: recoveryOutcome,
  /** Why it failed or could not be proved; `2 attempts, 1.5 s` if it succeeded. */
  detail: anyText,
  /** The last lines of output of the failed command, at most five; [] if there were none. */
  output: texts,
});

/** How one recovery ended. */
export type RecoveryRecord = Shaped<typeof recoveryRecord>;
