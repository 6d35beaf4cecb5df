// An alarm store that reports each call it did not answer, so that the loop asks it again.
import { type Clock, soon } from '../../core/clock.ts';
import { StoreError } from '../../core/errors.ts';
import { configuredSeconds } from '../../core/text/duration.ts';
import type { AlarmStore } from '../../stores/store.ts';

/** The poll loop, which proves whether a store that did not answer a call is away. */
interface DoubtingLoop {
  doubt(store: AlarmStore, error: unknown): void;
}

/**
 * Wraps `store`. `loop` doubts it, before the caller learns of it, after every question that failed, every write that was not
 * answered, and every call that takes more than five seconds. Polls are not reported: the loop sees how they end.
 */
export function heardStore(store: AlarmStore, clock: Clock, loop: DoubtingLoop): AlarmStore {
  const inTime = async (call: Promise<unknown>): Promise<void> => {
    if ((await soon(clock, LATE_MS, call)) !== 'late') return;
    loop.doubt(
      wrapped,
      new StoreError('timeout', `${store.description} has not answered within ${configuredSeconds(LATE_MS)}`),
    );
  };
  const heard = async <T>(call: Promise<T>, saysAway: (error: unknown) => boolean): Promise<T> => {
    // Its failure is handled below.
    inTime(call).catch(() => {});
    try {
      return await call;
    } catch (error) {
      if (saysAway(error)) loop.doubt(wrapped, error);
      throw error;
    }
  };
  const asked = <T>(call: Promise<T>): Promise<T> => heard(call, () => true);
  const written = <T>(call: Promise<T>): Promise<T> => heard(call, isUnanswered);
  const wrapped: AlarmStore = {
    get description() {
      return store.description;
    },
    get failoverMs() {
      return store.failoverMs;
    },
    readAlarms: (first) => store.readAlarms(first),
    readProcess: (processId) => asked(store.readProcess(processId)),
    findProcesses: (processName) => asked(store.findProcesses(processName)),
    findHalf: (nameOrId) => asked(store.findHalf(nameOrId)),
    listNames: (limit) => asked(store.listNames(limit)),
    clearAlarm: (seen, restartedAt) => written(store.clearAlarm(seen, restartedAt)),
    raiseAlarm: (processId, notes) => written(store.raiseAlarm(processId, notes)),
    raiseNewAlarm: (processId, notes) => written(store.raiseNewAlarm(processId, notes)),
    dropAlarm: (processId, notes) => written(store.dropAlarm(processId, notes)),
    inspect: () => asked(store.inspect()),
    close: () => store.close(),
  };
  return wrapped;
}

/** A slow database still answers. One that hangs must not count as well until the time limit of a query is over. */
const LATE_MS = 5000;

/** A refused write does not mean that alarms cannot be read. */
function isUnanswered(error: unknown): boolean {
  return error instanceof StoreError && ['unreachable', 'timeout'].includes(error.fault);
}
