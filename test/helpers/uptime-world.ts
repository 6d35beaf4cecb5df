import type { MonitorEvent } from '../../src/core/events.ts';
import { EventBus } from '../../src/core/events.ts';
import { recordTimeline } from '../../src/monitor/history/timeline.ts';
import type { HoldRecord } from '../../src/state/daemon-state.ts';
import { Database } from '../../src/state/database.ts';
import type { RecordSink } from '../../src/state/disk.ts';
import { TimelineTable } from '../../src/state/timeline.ts';

/** When the world begins; a second is its unit. */
export const EPOCH = 1_750_000_000_000;

/** What has happened at a second, as far as it is on the disk. */
export type Happening =
  | {
      readonly at: number;
      readonly event: MonitorEvent;
      readonly incident?: number;
      /** At a start: when each hold ends, by name. */
      readonly holds?: ReadonlyMap<string, number>;
    }
  /** `died`: from then on nobody knows anything; `resumed`: it was only suspended. */
  | { readonly at: number; readonly event: 'died' | 'resumed' };

/** Lives of a daemon, one after the other, on one history.db in memory: only what is written survives a crash. */
export class UptimeWorld {
  static readonly #database = new Database(':memory:', { timeout: 0 });
  static #isPrepared = false;
  now = 0;
  /** All that has happened; after a crash without what was not written. */
  log: Happening[] = [];
  readonly holds = new Map<string, HoldRecord>();
  table: TimelineTable | undefined;
  #events: EventBus | undefined;
  #incident: number | null = null;
  #written = 0;
  #writtenAt = 0;

  constructor() {
    const table = this.#tableOn('read');
    if (!UptimeWorld.#isPrepared) for (const sql of table.schema.split(';')) UptimeWorld.#database.run(sql);
    UptimeWorld.#isPrepared = true;
    UptimeWorld.#database.run('DELETE FROM timeline');
  }

  get isRunning(): boolean {
    return this.#events !== undefined;
  }

  /** What is open according to what survived, by name. */
  get incidents(): Map<string, number> {
    const open = new Map<string, number>();
    for (const each of this.log) {
      if (typeof each.event === 'string' || !('incident' in each)) continue;
      if (each.event.type === 'incident_opened') open.set(each.event.name, each.incident ?? 0);
      if (each.event.type !== 'incident_closed') continue;
      for (const [name, id] of open) {
        if (id !== each.incident) continue;
        if (each.event.joined === null) open.delete(name);
        else open.set(name, each.event.joined);
      }
    }
    return open;
  }

  start(processNames: readonly string[]): void {
    this.table = this.#tableOn('write');
    this.table.load(UptimeWorld.#database);
    const book = {
      take: (event: MonitorEvent, at: Date) => [{ ...event, at, incident: this.#incident }],
    };
    const fail = (error: unknown): void => {
      throw error;
    };
    this.#events = new EventBus(this.#clock, fail, book);
    recordTimeline(this.#events, this.table, {
      processNames: () => processNames,
      holds: () => [...this.holds.values()],
      incidents: { unfinished: () => ({ open: [...this.incidents.values()].map((id) => ({ id }) as never), lastId: 1 }) },
    });
    this.emit({ type: 'daemon_started', version: '1', crashed: null });
  }

  emit(event: MonitorEvent, incident: number | null = null): void {
    this.#incident = incident;
    const holds = new Map([...this.holds].map(([name, { until }]) => [name, endOf(until)]));
    this.log.push({ at: this.now, event, holds, ...(incident !== null && { incident }) });
    this.#events?.emit(event);
  }

  beat(): void {
    this.table?.beat(this.#clock.date());
  }

  /** Writes what waits. */
  write = (): void => {
    this.table?.flush(UptimeWorld.#database);
    this.table?.committed();
    this.#written = this.log.length;
    this.#writtenAt = this.now;
  };

  stop(): void {
    this.write();
    this.#end();
  }

  crash(): void {
    this.log = this.log.slice(0, this.#written);
    this.#end();
  }

  suspend(seconds: number): void {
    this.write();
    this.log.push({ at: this.now, event: 'died' });
    this.now += seconds;
    this.log.push({ at: this.now, event: 'resumed' });
    this.beat();
    this.write();
  }

  /** The timeline as a command reads it, without the daemon's memory. */
  look(): TimelineTable {
    return this.#tableOn('read');
  }

  #end(): void {
    this.log.push({ at: this.#writtenAt, event: 'died' });
    this.#written = this.log.length;
    this.#events = undefined;
    this.table = undefined;
  }

  #tableOn(access: 'read' | 'write'): TimelineTable {
    const sink: RecordSink = {
      write: (durability) => {
        if (access === 'write' && durability !== 'soon') this.write();
      },
      read: (look) => look(UptimeWorld.#database),
    };
    return new TimelineTable(sink, this.#clock);
  }

  readonly #clock = {
    date: (): Date => new Date(EPOCH + this.now * 1000),
    monotonicMs: (): number => this.now * 1000,
    sleep: (): Promise<void> => Promise.reject(new Error('nobody sleeps')),
  };
}

/** The second at which a hold ends. */
export function endOf(until: Date | null): number {
  return until === null ? Number.POSITIVE_INFINITY : (until.getTime() - EPOCH) / 1000;
}
