import type { Clock } from '../core/clock.ts';
import type { EventOf } from '../core/events.ts';
import type { WatchedLife, WatchedLifeRecords } from '../state/daemon-state.ts';
import { ProcessTable } from '../system/proc/table.ts';

/** Since when watched processes run and how their last lives ended, across restarts of the daemon. */
export class WatchedLives {
  readonly #records: WatchedLifeRecords;
  readonly #clock: Clock;
  readonly #table: ProcessTable;
  /** Names that were seen or reported in this life of the daemon: what stands of them is no memory. */
  readonly #seen = new Set<string>();

  constructor(records: WatchedLifeRecords, clock: Clock, table = new ProcessTable()) {
    this.#records = records;
    this.#clock = clock;
    this.#table = table;
  }

  /** A life has begun, or is seen for the first time. */
  seen({ processName, pid, since, unit }: EventOf<'process_seen'>): void {
    const { exits, lastExit } = this.#records.get(processName) ?? { exits: 0, lastExit: null };
    this.#seen.add(processName);
    this.#records.set({ processName, pid, since, unit: unit ?? null, exits, lastExit });
  }

  /** A life has ended. */
  exited(event: EventOf<'process_exited'>): void {
    const { processName, pid, at, cause, uptimeMs, ours } = event;
    const { exits, unit } = this.#records.get(processName) ?? { exits: 0, unit: null };
    this.#seen.add(processName);
    const expected = event.expected && !event.unasked;
    const lastExit = { at, cause, uptimeMs, expected, ...(ours && { ours }) };
    const counted = expected || event.repeated ? exits : exits + 1;
    this.#records.set({ processName, pid, since: null, unit, exits: counted, lastExit });
  }

  /** The process was healed: it runs, though nobody has seen it yet. Should the daemon end before that, the next one has to miss it. */
  healed(processName: string): void {
    const life = this.#records.get(processName);
    if (life?.since === null) this.#records.set({ ...life, pid: UNSEEN, since: this.#clock.date() });
  }

  /** The life of that name; undefined where it was never watched. */
  of(processName: string): WatchedLife | undefined {
    const life = this.#records.get(processName);
    if (life === undefined || life.since === null) return life;
    const runs = life.pid !== UNSEEN && (this.#seen.has(processName) || this.#isAlive(life.pid, life.since));
    return runs ? life : { ...life, since: null };
  }

  /** How it is known that a life is over: its end was `seen` or told of, or a `boot` lies between; `unseen`: not at all, if it is. */
  endOf(processName: string): 'seen' | 'boot' | 'unseen' {
    const life = this.#records.get(processName);
    if (life?.beforeBoot) return 'boot';
    return life !== undefined && life.since === null ? 'seen' : 'unseen';
  }

  /** What ran of that name when an earlier life of the daemon saw it last; undefined where nothing did, or a boot lies between. */
  former(processName: string): (WatchedLife & { readonly since: Date }) | undefined {
    const life = this.#records.get(processName);
    const since = life?.since ?? undefined;
    // A container begins anew without a boot, and all that ran in it has ended: its first process tells since when it is.
    const first = this.#table.read(1, ['startTime']);
    if (life === undefined || since === undefined || first === undefined || this.#seen.has(processName)) return undefined;
    const begunAtMs = this.#clock.date().getTime() - this.#table.ageMs(first);
    return since.getTime() > begunAtMs - CLOCK_STEP_MS ? { ...life, since } : undefined;
  }

  /** Forgets those that are not watched any more: what becomes of them is not known. */
  keepOnly(watched: ReadonlySet<string>): void {
    for (const { processName } of this.#records.list()) if (!watched.has(processName)) this.#records.delete(processName);
  }

  /** The names that run, or that were told of in this life of the daemon: others may not be watched any more. */
  names(): string[] {
    const known = this.#records.list().map(({ processName }) => processName);
    return known.filter((name) => this.#seen.has(name) || this.of(name)?.since !== null);
  }

  /** What an earlier life of the daemon wrote down may have ended since. */
  #isAlive(pid: number, since: Date): boolean {
    const seen = this.#table.read(pid, ['startTime']);
    if (seen === undefined) return false;
    return Math.abs(this.#clock.date().getTime() - this.#table.ageMs(seen) - since.getTime()) < CLOCK_STEP_MS;
  }
}

const UNSEEN = 0;
/** The wall clock may have been set a little meanwhile. */
const CLOCK_STEP_MS = 10_000;
