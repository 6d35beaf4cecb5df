import { oneName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, count, flag, listOf, measure, nullable, object, type Shaped } from '../shape.ts';
import { alarmFields, holdStatus, processStatus, recoveryRecord, storeStatus } from '../status.ts';
import { restartPreview } from './preview.ts';

const runningStatus = object({
  pid: count,
  since: anyText,
  /** As its argv says, joined by blanks, at most 1,024 characters: a stranger's text. */
  command: anyText,
  /** CPU time since its start over the time since then, 100 for a whole processor; null: not to be had. */
  cpuPercent: nullable(measure),
  /** Resident memory; null: not to be had. */
  memoryBytes: nullable(count),
});

/** One process that runs. */
export type RunningStatus = Shaped<typeof runningStatus>;

/** The shape of a ProcessDetails. */
export const processDetails = object({
  process: processStatus,
  /** 0: no daemon runs. */
  pid: count,
  store: storeStatus,
  /**
   * All rows of that name, in alarm or not (null: not known, for a flag of it is no number), as the store says now; null: it does
   * not answer.
   */
  rows: nullable(listOf(object({ ...alarmFields, inAlarm: nullable(flag) }))),
  hold: nullable(holdStatus),
  /** What runs of it now; [] if nothing does. null: its strategy has no means to tell. */
  running: nullable(listOf(runningStatus)),
  /** The systemd unit that it is or runs in; null: in none. */
  unit: nullable(anyText),
  /** The last five, newest first. */
  recoveries: listOf(recoveryRecord),
  /** What a restart would do now. */
  restart: restartPreview,
  /** Where its output is to be read, `journalctl -u nginx.service`, or a file's path; null: that is not known. */
  output: nullable(anyText),
});

/** What `monitor_service status NAME --json` prints. */
export type ProcessDetails = Shaped<typeof processDetails>;

/** All that is known of the process of that name, as of now: GET /v1/processes?name=NAME, a ProcessDetails. */
export const describe = {
  method: 'GET',
  path: '/v1/processes',
  scope: 'users',
  withoutDaemon: 'own',
  timeoutMs: USUAL_MS,
  input: oneName,
  reply: done(processDetails),
} as const satisfies Order;
