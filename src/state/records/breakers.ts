// Circuit breakers in state.db.
import type { BreakerSnapshot } from '../../core/breaker-snapshot.ts';
import type { Clock } from '../../core/clock.ts';
import { fields, listOf, oneOf, such, text, withDefault } from '../../core/shape.ts';
import type { BreakerRecords } from '../daemon-state.ts';
import { count, milliseconds } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** A circuit breaker as it was at one moment of one boot. */
interface BreakerRecord {
  readonly target: string;
  readonly processName: string;
  readonly snapshot: BreakerSnapshot;
  /** /proc/sys/kernel/random/boot_id; empty if unknown. */
  readonly bootId: string;
  /** CLOCK_MONOTONIC of that boot. */
  readonly writtenAtMs: number;
}

const breakerSnapshot = fields<BreakerSnapshot>({
  state: oneOf('closed', 'open', 'half_open'),
  failures: count,
  reopenAtMs: milliseconds,
  successesMs: listOf(milliseconds),
  // Records from before exits were counted have none.
  exitsMs: withDefault(listOf(milliseconds), []),
});

const breakerRecord = fields<BreakerRecord>({
  target: text,
  processName: text,
  snapshot: breakerSnapshot,
  bootId: text,
  writtenAtMs: milliseconds,
});

/** Nobody wants a breaker to stay open for more than ten years. */
const MAX_COOLDOWN_MS = 10 * 366 * 86_400_000;

/** Circuit breakers, by target. */
export const breakerKind: RecordKind<BreakerRecord> = recordKind(
  'breakers',
  such(
    breakerRecord,
    'a cooldown of at most ten years',
    ({ snapshot, writtenAtMs }) => snapshot.reopenAtMs - writtenAtMs <= MAX_COOLDOWN_MS,
  ),
);

/** The breakers, with their times in the clock of boot `bootId`. */
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
        // Written at once: otherwise each restart of the daemon would start the whole cooldown again.
        if (!known) save(target, processName, snapshot);
        loaded.set(target, { snapshot, processName });
      }
      return loaded;
    },
    save,
    delete: (target) => table.remove(target, 'written'),
  };
}

/** A clock that is behind the record's is another clock, whatever the boot id says (time_namespaces(7)). */
function isOfThisBoot({ bootId, writtenAtMs }: BreakerRecord, clock: Clock, current: string): boolean {
  return current !== '' && bootId === current && writtenAtMs <= clock.monotonicMs();
}

/** The snapshot with its remaining and elapsed times at writing, counted from `nowMs`. */
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
