import type { Clock } from '../core/clock.ts';
import type { EventOf } from '../core/events.ts';
import type { WatchedLife, WatchedLifeRecords } from '../state/daemon-state.ts';
import { ProcessTable } from '../system/proc/table.ts';

/** Since when watched processes run, and how their last lives ended. Survives restarts of the daemon. */
export class WatchedLives {
  readonly #records: WatchedLifeRecords;
  readonly #clock: Clock;
  readonly #table: ProcessTable;
  /** Names that this run of the daemon has seen or reported: their records are current. */
  readonly #seen = new Set<string>();

  constructor(records: WatchedLifeRecords, clock: Clock, table = new ProcessTable()) {
    this.#records = records;
    this.#clock = clock;
    this.#table = table;
  }

  /** A life has begun, or was seen for the first time. */
  seen({ processName, pid, since, unit }: EventOf<'process_seen'>): void {
    const { exits, lastExit } = this.#records.get(processName) ?? { exits: 0, lastExit: null };
    this.#seen.add(processName);
    this.#records.set({ processName, pid, since, unit: unit ?? null, exits, lastExit });
  }

  /** A life has ended. */
  exited(event: EventOf<'process_exited'>): void {
    const { processName, pid, endedAt, cause, uptimeMs, ours } = event;
    const { exits, unit } = this.#records.get(processName) ?? { exits: 0, unit: null };
    this.#seen.add(processName);
    const expected = event.expected && !event.unasked;
    const lastExit = { at: endedAt, cause, uptimeMs, expected, ...(ours && { ours }) };
    const counted = expected || event.repeated ? exits : exits + 1;
    this.#records.set({ processName, pid, since: null, unit, exits: counted, lastExit });
  }

  /**
   * The process was recovered: it runs, though it was not seen yet. If the daemon ends before that, the next one must miss it.
   */
  healed(processName: string): void {
    const life = this.#records.get(processName);
    if (life?.since === null) this.#records.set({ ...life, pid: UNSEEN, since: this.#clock.date() });
  }

  /** The life of that name; undefined if it was never watched. */
  of(processName: string): WatchedLife | undefined {
    const life = this.#records.get(processName);
    if (life === undefined || life.since === null) return life;
    const runs = life.pid !== UNSEEN && (this.#seen.has(processName) || this.#isAlive(life.pid, life.since));
    return runs ? life : { ...life, since: null };
  }

  /**
   * How the end of a life is known: it was `seen` or reported, or a `boot` came in between; `unseen`: not known, if it ended at
   * all.
   */
  endOf(processName: string): 'seen' | 'boot' | 'unseen' {
    const life = this.#records.get(processName);
    if (life?.beforeBoot) return 'boot';
    return life !== undefined && life.since === null ? 'seen' : 'unseen';
  }

  /**
   * What ran under that name when an earlier run of the daemon saw it last; undefined if nothing did, or if a boot came in
   * between.
   */
  former(processName: string): (WatchedLife & { readonly since: Date }) | undefined {
    const life = this.#records.get(processName);
    const since = life?.since ?? undefined;
    // A container can start again without a boot, and everything in it has ended: the start of its first process shows when.
    const first = this.#table.read(1, ['startTime']);
    if (life === undefined || since === undefined || first === undefined || this.#seen.has(processName)) return undefined;
    const begunAtMs = this.#clock.date().getTime() - this.#table.ageMs(first);
    return since.getTime() > begunAtMs - CLOCK_STEP_MS ? { ...life, since } : undefined;
  }

  /** Forgets the names that are not watched any more, and returns them: their fate is not known. */
  keepOnly(watched: ReadonlySet<string>): readonly string[] {
    const gone = this.#records.list().flatMap(({ processName }) => (watched.has(processName) ? [] : [processName]));
    for (const name of gone) this.#records.delete(name);
    return gone;
  }

  /** The names that run or that this run of the daemon has reported: others may not be watched any more. */
  names(): string[] {
    const known = this.#records.list().map(({ processName }) => processName);
    return known.filter((name) => this.#seen.has(name) || this.of(name)?.since !== null);
  }

  /** A process that an earlier run of the daemon recorded may have ended since. */
  #isAlive(pid: number, since: Date): boolean {
    const seen = this.#table.read(pid, ['startTime']);
    if (seen === undefined) return false;
    return Math.abs(this.#clock.date().getTime() - this.#table.ageMs(seen) - since.getTime()) < CLOCK_STEP_MS;
  }
}

const UNSEEN = 0;
/** The wall clock may have been adjusted slightly in the meantime. */
const CLOCK_STEP_MS = 10_000;
