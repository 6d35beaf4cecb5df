import type { Clock } from '../../src/core/clock.ts';
import type { DaemonState } from '../../src/state/daemon-state.ts';
import type { Database } from '../../src/state/database.ts';
import type { Durability, RecordSink } from '../../src/state/disk.ts';
import { HistoryTable } from '../../src/state/history.ts';
import { IncidentTable } from '../../src/state/incidents.ts';
import { createViews } from '../../src/state/records/index.ts';
import { ResultTable } from '../../src/state/results.ts';
import { TimelineTable } from '../../src/state/timeline.ts';
import type { Life } from './life.ts';

type Tables = Map<string, Map<string, string>>;

/** What is left of state.db: as the kernel has it, and as it would be after a power cut. */
export class SimulatedDisk {
  #written: Tables = new Map();
  #fsynced: Tables = new Map();

  /** The power goes: what was not synchronized is gone. */
  cutPower(): void {
    this.#written = copyOf(this.#fsynced);
  }

  /** The daemon's memory in one of its lives, read from what is left. */
  open(life: Life, clock: Clock, bootId: string): DaemonState {
    const database = {
      run: (sql: string, ...values: string[]) => this.#run(sql, values),
      all: (sql: string) => this.#all(sql),
    };
    const write = (durability: Durability, change: (database: Database) => void = () => {}): void => {
      life.enter();
      if (durability === 'soon') return;
      change(database as unknown as Database);
      if (durability === 'fsynced') this.#fsynced = copyOf(this.#written);
    };
    const sink: RecordSink = { write, read: (_look, fallback) => fallback };
    const { tables, views } = createViews(sink, clock, bootId);
    for (const table of tables) table.load(database as unknown as Database);
    const told = {
      history: new HistoryTable(sink),
      incidents: new IncidentTable(sink),
      timeline: new TimelineTable(sink, clock),
      results: new ResultTable(sink),
    };
    return { ...views, ...told, crashed: null, close: () => {} };
  }

  #run(sql: string, [key = '', value = '']: readonly string[]): void {
    const [, table = ''] = /^(?:DELETE FROM|INSERT OR REPLACE INTO) (\w+)/.exec(sql) ?? [];
    if (table === '') throw new Error(`a statement that the simulated disk does not know: ${sql}`);
    const rows = this.#written.get(table) ?? new Map<string, string>();
    this.#written.set(table, rows);
    if (sql.startsWith('INSERT')) rows.set(key, value);
    else if (sql.includes('WHERE')) rows.delete(key);
    else rows.clear();
  }

  #all(sql: string): Record<string, string>[] {
    const [, table = ''] = /FROM (\w+)$/.exec(sql) ?? [];
    return [...(this.#written.get(table) ?? [])].map(([key, value]) => ({ key, value }));
  }
}

function copyOf(tables: Tables): Tables {
  return new Map([...tables].map(([name, rows]) => [name, new Map(rows)]));
}
