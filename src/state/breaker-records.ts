import type { BreakerSnapshot } from '../core/breaker-snapshot.ts';
import type { Clock } from '../core/clock.ts';
import type { BreakerRecords } from './daemon-state.ts';
import { fieldsOf, isCount, isListOf, isMilliseconds, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** A breaker as it was at one moment of one boot. */
interface BreakerRecord {
  readonly target: string;
  readonly processName: string;
  readonly snapshot: BreakerSnapshot;
  /** /proc/sys/kernel/random/boot_id; empty where unknown. */
  readonly bootId: string;
  /** CLOCK_MONOTONIC of that boot. */
  readonly writtenAtMs: number;
}

/** Circuit breakers, by target. */
export const breakerKind: RecordKind<BreakerRecord> = {
  table: 'breakers',
  parse: (value) => {
    const { target, processName, snapshot, bootId, writtenAtMs } = fieldsOf(value);
    const read = parseSnapshot(snapshot);
    if (!isText(target) || !isText(processName) || !isText(bootId) || !isMilliseconds(writtenAtMs)) return undefined;
    if (read === undefined || read.reopenAtMs - writtenAtMs > MAX_COOLDOWN_MS) return undefined;
    return { target, processName, snapshot: read, bootId, writtenAtMs };
  },
};

/** The breakers, as the boot `bootId` sees them. */
export function breakerRecordsOf(table: RecordTable<BreakerRecord>, clock: Clock, bootId: string): BreakerRecords {
  const save = (target: string, processName: string, snapshot: BreakerSnapshot): void => {
    table.put(target, { target, processName, snapshot, bootId, writtenAtMs: clock.monotonicMs() }, 'written');
  };
  return {
    load: () => {
      const loaded = new Map<string, { snapshot: BreakerSnapshot; processName: string }>();
      for (const record of table.all()) {
        const { target, processName } = record;
        const known = isOfThisBoot(record, clock, bootId);
        const snapshot = known ? record.snapshot : moved(record, clock.monotonicMs());
        // Written down at once: else each restart of the daemon would grant the whole cooldown anew.
        if (!known) save(target, processName, snapshot);
        loaded.set(target, { snapshot, processName });
      }
      return loaded;
    },
    save,
    delete: (target) => table.remove(target, 'written'),
  };
}

/** A clock that is behind the record's is another one, whatever the boot id says (time_namespaces(7)). */
function isOfThisBoot({ bootId, writtenAtMs }: BreakerRecord, clock: Clock, current: string): boolean {
  return current !== '' && bootId === current && writtenAtMs <= clock.monotonicMs();
}

/** The snapshot with what was left and what had passed when it was written, counted from `nowMs`. */
function moved({ snapshot, writtenAtMs }: BreakerRecord, nowMs: number): BreakerSnapshot {
  const { state, failures, reopenAtMs, successesMs, exitsMs } = snapshot;
  const past = (atMs: number): number => nowMs - Math.max(writtenAtMs - atMs, 0);
  return {
    state,
    failures,
    reopenAtMs: state === 'closed' ? 0 : nowMs + Math.max(reopenAtMs - writtenAtMs, 0),
    successesMs: successesMs.map(past),
    exitsMs: exitsMs.map(past),
  };
}

function parseSnapshot(value: unknown): BreakerSnapshot | undefined {
  // A record of the time before exits were counted has none.
  const { state, failures, reopenAtMs, successesMs, exitsMs = [] } = fieldsOf(value);
  if (state !== 'closed' && state !== 'open' && state !== 'half_open') return undefined;
  if (!isCount(failures) || !isMilliseconds(reopenAtMs) || !isListOf(successesMs, isMilliseconds)) return undefined;
  return isListOf(exitsMs, isMilliseconds) ? { state, failures, reopenAtMs, successesMs, exitsMs } : undefined;
}

/** Nobody means a breaker to stay open for more than ten years. */
const MAX_COOLDOWN_MS = 10 * 366 * 86_400_000;
