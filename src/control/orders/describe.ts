// The order that describes one process.
import { flag, listOf, nullable } from '../../core/shape.ts';
import { oneName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, count, measure, object, type Shaped } from '../shape.ts';
import { alarmFields, holdStatus, processStatus, recoveryRecord, storeStatus } from '../status.ts';
import { restartPreview } from './preview.ts';

const runningStatus = object({
  pid: count,
  since: anyText,
  /** Its argv, joined by blanks, at most 1,024 characters: text that a foreign process chose. */
  command: anyText,
  /** CPU time since its start over the time since then, 100 for a whole processor; null: not available. */
  cpuPercent: nullable(measure),
  /** Resident memory; null: not available. */
  memoryBytes: nullable(count),
});

/** One process that runs. */
export type RunningStatus = Shaped<typeof runningStatus>;

/** The shape of a ProcessDetails. */
const processDetails = object({
  process: processStatus,
  /** 0: no daemon runs. */
  pid: count,
  store: storeStatus,
  /**
   * All rows of that name as the store has them now, in alarm or not (null: not known, because a flag is not a number); null:
   * the store does not answer.
   */
  rows: nullable(listOf(object({ ...alarmFields, inAlarm: nullable(flag) }))),
  hold: nullable(holdStatus),
  /** Its processes that run now; [] if none does. null: its strategy cannot find out. */
  running: nullable(listOf(runningStatus)),
  /** The systemd unit that it is or runs in; null: none. */
  unit: nullable(anyText),
  /** The last five recoveries, newest first. */
  recoveries: listOf(recoveryRecord),
  /** What a restart would do now. */
  restart: restartPreview,
  /** Where its output can be read, `journalctl -u nginx.service`, or a file's path; null: not known. */
  output: nullable(anyText),
});

/** What `monitor_service status NAME --json` prints. */
export type ProcessDetails = Shaped<typeof processDetails>;

/** Everything that is known now about the process of that name: GET /v1/processes?name=NAME, a ProcessDetails. */
export const describe = {
  method: 'GET',
  path: '/v1/processes',
  scope: 'users',
  withoutDaemon: 'own',
  timeoutMs: USUAL_MS,
  input: oneName,
  reply: done(processDetails),
} as const satisfies Order;
