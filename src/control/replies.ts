import { storeFaults } from '../core/errors.ts';
import type { ServiceContact } from '../system/systemd/service-manager.ts';
import type { OrderReply, Orders, PinOffer } from './orders.ts';
import { processStateNames } from './process-state.ts';
import { flag, listOf, measure, nullable, object, oneOf, optional, type Shape, text, wholeNumber } from './shape.ts';
import type { AlarmRow, DaemonStatus, EventStreamStatus, HoldStatus, ProcessStatus, RecoveryRecord } from './status.ts';

/** What an order's `done` says, without the word. */
export type Done<K extends Exclude<keyof Orders, 'status' | 'recover'>> = Omit<
  Extract<Awaited<ReturnType<Orders[K]>>, { kind: 'done' }>,
  'kind'
>;

/** Texts of a daemon have no length of their own; the answer as a whole has. */
const anyText = text(Number.MAX_SAFE_INTEGER);
const count = wholeNumber(0);
const texts = listOf(anyText);

const holdShape: Shape<HoldStatus> = object({
  name: nullable(anyText),
  until: nullable(anyText),
  reason: anyText,
  strict: optional(flag),
});

const alarmRow = { processId: nullable(anyText), notes: nullable(anyText), since: nullable(anyText), acknowledged: flag };
const alarmRowShape: Shape<AlarmRow> = object(alarmRow);

const recoveryOutcome: Shape<RecoveryRecord['outcome']> = oneOf('recovered', 'failed', 'not_proved');

const processShape: Shape<ProcessStatus> = object({
  name: anyText,
  processId: nullable(anyText),
  target: nullable(anyText),
  strategy: anyText,
  inAlarm: nullable(flag),
  rows: listOf(alarmRowShape),
  state: oneOf(...processStateNames),
  reason: nullable(anyText),
  waitingFor: texts,
  breaker: object({ state: oneOf('closed', 'open', 'half_open'), failures: count, remainingMs: count }),
  alarmKept: flag,
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
  supervisor: optional(nullable(anyText)),
  lastRecovery: nullable(object({ at: anyText, outcome: recoveryOutcome, detail: anyText })),
  concern: optional(nullable(anyText)),
  pinnedAt: optional(nullable(anyText)),
});

const eventsShape: Shape<EventStreamStatus> = object({
  state: oneOf('open', 'unavailable'),
  reason: nullable(anyText),
  clients: count,
  lost: count,
  dropped: count,
  failedLogins: optional(count),
  listeners: optional(
    listOf(
      object({
        kind: oneOf('unix', 'tcp'),
        address: anyText,
        state: oneOf('open', 'unavailable'),
        reason: nullable(anyText),
      }),
    ),
  ),
});

const systemdShape: Shape<ServiceContact> = object({
  connection: nullable(oneOf('private', 'bus')),
  problem: nullable(anyText),
  units: nullable(oneOf('bus', 'looks')),
  unheard: count,
});

const storeShape: Shape<DaemonStatus['store']> = object({
  description: anyText,
  state: oneOf('ok', 'unknown', 'starting'),
  since: nullable(anyText),
  reason: nullable(anyText),
  fault: optional(oneOf(...storeFaults)),
  lastPollAt: nullable(anyText),
  alarms: nullable(count),
  leftOut: optional(count),
  nameless: optional(count),
  remarks: optional(texts),
});

/** GET /v1/status. */
export const statusShape: Shape<DaemonStatus> = object({
  version: anyText,
  host: optional(anyText),
  pid: count,
  startedAt: nullable(anyText),
  mode: oneOf('act', 'observe'),
  configFile: anyText,
  store: storeShape,
  recovering: count,
  processes: listOf(processShape),
  holds: listOf(holdShape),
  systemd: optional(nullable(systemdShape)),
  events: optional(nullable(eventsShape)),
  exitWatch: optional(nullable(anyText)),
});

/** POST /v1/recoveries, by its outcome. */
export const outcomeShape = object({ outcome: oneOf('recovered', 'failed', 'skipped', 'not_proved') });
/** What goes with `recovered`. */
export const recoveredShape = object({ attempts: count, durationMs: count });
/** What goes with the other outcomes. */
export const reasonShape = object({ reason: anyText });

/** POST /v1/breakers/reset. */
export const resetShape: Shape<Done<'resetBreakers'>> = object({ reset: texts });
/** GET /v1/matches. */
export const previewShape: Shape<Done<'preview'>> = object({
  stops: texts,
  starts: texts,
  refusals: texts,
  failures: optional(texts),
  strategy: anyText,
  target: anyText,
  warnings: optional(texts),
  commands: optional(
    listOf(object({ key: anyText, line: anyText, name: nullable(anyText), limitMs: nullable(count), user: nullable(anyText) })),
  ),
});
/** GET /v1/processes. */
export const detailsShape: Shape<Done<'describe'>> = object({
  process: processShape,
  pid: count,
  store: storeShape,
  rows: nullable(listOf(object({ ...alarmRow, inAlarm: nullable(flag) }))),
  hold: nullable(holdShape),
  running: nullable(
    listOf(
      object({
        pid: count,
        since: anyText,
        command: anyText,
        cpuPercent: nullable(measure),
        memoryBytes: nullable(count),
      }),
    ),
  ),
  unit: nullable(anyText),
  recoveries: listOf(object({ at: anyText, outcome: recoveryOutcome, detail: anyText, output: texts })),
  restart: previewShape,
  output: nullable(anyText),
});
/** POST /v1/reload. */
export const reloadShape: Shape<Done<'reload'>> = object({ changes: texts, warnings: texts });
/** POST /v1/holds. */
export const heldShape: Shape<Done<'hold'>> = object({ until: nullable(anyText) });
/** POST /v1/holds/release. */
export const releasedShape: Shape<Done<'release'>> = object({
  released: listOf(nullable(anyText)),
  stillHeld: optional(anyText),
});
/** POST /v1/alarms. */
export const alarmShape: Shape<Done<'alarm'>> = object({
  processes: listOf(
    object({
      id: nullable(anyText),
      name: anyText,
      wasNotInAlarm: optional(flag),
      willNotFollow: optional(texts),
      willFail: optional(texts),
    }),
  ),
});

const offerShape: Shape<PinOffer> = object({
  name: anyText,
  systemName: anyText,
  digest: anyText,
  running: flag,
  concern: nullable(anyText),
  launches: listOf(
    object({
      argv: texts,
      executable: anyText,
      cwd: anyText,
      uid: count,
      gid: count,
      groups: listOf(count),
      variables: texts,
      files: listOf(object({ path: anyText, sha256: anyText })),
    }),
  ),
});
/** GET /v1/pins. */
export const pinsShape: Shape<Done<'pins'>> = object({
  offers: listOf(offerShape),
  refusals: listOf(object({ name: anyText, reason: anyText })),
});
/** POST /v1/pins. */
export const pinnedShape: Shape<Done<'pin'>> = object({ pinned: texts, closed: optional(texts) });
/** POST /v1/pins/remove. */
export const unpinnedShape: Shape<Done<'unpin'>> = object({ unpinned: texts });

type Refusal = Extract<OrderReply<object>, { kind: 'refused' }>;

/** The codes of a refusal; any other is a fault of the request or the daemon. */
export const refusalCode: Shape<Refusal['code']> = oneOf('invalid', 'not_found', 'conflict', 'unavailable', 'denied');

/** Any error's body. */
export const errorShape = object({ error: object({ code: anyText, message: anyText }) });
