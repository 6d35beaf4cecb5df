// The timeline in history.db: what was so from when to when.
import type { Clock } from '../core/clock.ts';
import type { Span, SpanKind, Timeline } from './daemon-state.ts';
import type { Database } from './database.ts';
import type { DiskTable, RecordSink } from './disk.ts';
import {
  deleteOldest,
  FLOOR,
  hasRun,
  leftRows,
  type TimelineRow as Row,
  readRows,
  timelineSchema,
  writeRow,
} from './timeline-rows.ts';

/** The timeline on the disk; in memory is what lasts, and what is not written yet. */
export class TimelineTable implements Timeline, DiskTable {
  readonly name = 'timeline';
  readonly schema = timelineSchema;
  readonly #sink: RecordSink;
  readonly #clock: Clock;
  readonly #lasting = new Map<string, Row>();
  readonly #waiting = new Set<Row>();
  /** What the disk has, perhaps as it was before. */
  readonly #written = new WeakSet<Row>();
  #run: Row | undefined;
  #isRunWritten = false;
  /** Wall clock: until then everything is on the disk. */
  #writtenAt = 0;
  /** True if something of this life is lost: until it is written again, nothing is known. */
  #hasGap = false;
  #sinceDeletion = DELETED_EACH;

  constructor(sink: RecordSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  startLife(at: Date): void {
    this.#ready();
    const now = at.getTime();
    this.#run = runFrom(now);
    this.#isRunWritten = false;
    this.#writtenAt = now;
    this.#put(this.#run);
  }

  beat(at: Date): void {
    if (this.#run === undefined) return;
    this.#live(at.getTime());
    // Not `soon`: that would be a timer of its own, and the daemon is awake now.
    if (Math.abs(at.getTime() - this.#writtenAt) >= BEAT_MS) this.#sink.write('written');
  }

  begin(...[kind, name, at, { until = null, incident = null } = {}]: Parameters<Timeline['begin']>): void {
    if (!OF_ONE_LIFE.has(kind)) this.#ready();
    if (kind === 'held') this.end(kind, name, at);
    const key = keyOf(kind, name);
    const known = this.#lasting.get(key);
    if (known !== undefined) {
      if (known.incident !== incident) this.#give(known, incident);
      return;
    }
    const row = { kind, name, from: at.getTime(), to: until?.getTime() ?? null, incident };
    this.#lasting.set(key, row);
    this.#put(row);
  }

  end(kind: SpanKind, name: string, at: Date): void {
    if (!OF_ONE_LIFE.has(kind)) this.#ready();
    const row = this.#lasting.get(keyOf(kind, name));
    if (row !== undefined) this.#finish(row, at.getTime());
  }

  endIncident(id: number, at: Date, joined: number | null): void {
    this.#ready();
    for (const row of [...this.#lasting.values()].filter(({ incident }) => incident === id)) {
      if (joined === null) this.#finish(row, at.getTime());
      else this.#give(row, joined);
    }
  }

  keepIncidents(ids: ReadonlySet<number>, at: Date): void {
    this.#ready();
    for (const row of [...this.#lasting.values()])
      if (row.incident !== null && !ids.has(row.incident)) this.#finish(row, at.getTime());
  }

  lasting(kind: SpanKind): readonly string[] {
    this.#ready();
    return [...this.#lasting.values()].flatMap((row) => (row.kind === kind ? [row.name] : []));
  }

  find(since: Date, names?: readonly string[]): readonly Span[] {
    this.#live(this.#clock.date().getTime());
    if (this.#waiting.size > 0) this.#sink.write('written');
    const written = this.#sink.read((database) => readRows(database, since, names), []);
    // What the disk does not take is in memory.
    const rows = new Map(written.map((row) => [JSON.stringify([row.kind, row.name, row.from]), row]));
    for (const row of this.#waiting)
      if (row.name === '' || (names?.includes(row.name) ?? true)) rows.set(JSON.stringify([row.kind, row.name, row.from]), row);
    const all = [...rows.values()];
    const floor = Math.max(0, ...all.flatMap(({ kind, from }) => (kind === FLOOR ? [from] : [])));
    return all.flatMap(({ kind, name, from, to }): Span[] => {
      if (kind === FLOOR) return [];
      return [{ kind, name, from: kind === 'run' ? Math.max(from, floor) : from, to }];
    });
  }

  /** Takes over what an earlier life left. What it knew of checks and store ended with it. */
  load(database: Database): number {
    const { lastMs, rows } = leftRows(database, this.#clock.date().getTime());
    for (const row of rows) {
      this.#written.add(row);
      const key = keyOf(row.kind, row.name);
      if (row.kind === FLOOR) continue;
      if (!OF_ONE_LIFE.has(row.kind) && !this.#lasting.has(key)) this.#lasting.set(key, row);
      else {
        row.to = Math.max(row.from, lastMs);
        this.#waiting.add(row);
      }
    }
    return 0;
  }

  rewrite(database: Database): void {
    const run = this.#run;
    for (const row of this.#lasting.values()) this.#waiting.add(row);
    if (run === undefined || !this.#isRunWritten) return;
    // A new file lacks what this life had written into the former one.
    if (hasRun(database, run.from)) return;
    this.#waiting.delete(run);
    this.#run = runFrom(this.#clock.date().getTime());
  }

  flush(database: Database): void {
    this.#live(this.#clock.date().getTime());
    for (const row of this.#waiting) writeRow(database, row);
    this.#sinceDeletion += this.#waiting.size;
    if (this.#sinceDeletion < DELETED_EACH) return;
    this.#sinceDeletion = 0;
    deleteOldest(database, this.#clock.date().getTime());
  }

  committed(): void {
    for (const row of this.#waiting) this.#written.add(row);
    this.#waiting.clear();
    this.#isRunWritten = this.#run !== undefined;
    this.#writtenAt = this.#clock.date().getTime();
  }

  /** Opens the file, so that what lasts is known. */
  #ready(): void {
    this.#sink.read(() => undefined, undefined);
  }

  #put(row: Row): void {
    if (this.#waiting.size >= MAX_WAITING) {
      const oldest = [...this.#waiting].find((each) => each.to !== null && each !== this.#run && !this.#written.has(each));
      if (oldest !== undefined) this.#waiting.delete(oldest);
      this.#hasGap = true;
    }
    this.#waiting.add(row);
    this.#sink.write('soon');
  }

  #give(row: Row, incident: number | null): void {
    row.incident = incident;
    this.#put(row);
  }

  #finish(row: Row, now: number): void {
    row.to = Math.max(row.from, Math.min(now, row.to ?? now));
    this.#lasting.delete(keyOf(row.kind, row.name));
    this.#put(row);
  }

  /** The run lasts until now; a new one begins if it is not known what was in between. */
  #live(now: number): void {
    const run = this.#run;
    if (run === undefined) return;
    const to = run.to ?? run.from;
    // A machine that was suspended, or a clock that was set.
    if (now - to > GAP_MS || this.#hasGap) {
      if (this.#hasGap) run.to = Math.max(run.from, Math.min(to, this.#writtenAt));
      this.#hasGap = false;
      this.#waiting.add(run);
      this.#run = runFrom(now);
    } else run.to = Math.max(to, now);
    this.#waiting.add(this.#run ?? run);
  }
}

function runFrom(now: number): Row {
  return { kind: 'run', name: '', from: now, to: now, incident: null };
}

function keyOf(kind: Row['kind'], name: string): string {
  return `${kind} ${name}`;
}

/** What a new life has to find out again. */
const OF_ONE_LIFE: ReadonlySet<string> = new Set(['ok', 'failing', 'store', 'run']);
/** A little less than a minute, so that a heartbeat each minute is enough. */
const BEAT_MS = 59_000;
/** A loop that turns beats at least each minute, and a poll that is stuck ends sooner than this. */
const GAP_MS = 300_000;
const MAX_WAITING = 5_000;
/** The oldest are deleted after each so many rows that are written. */
const DELETED_EACH = 200;
