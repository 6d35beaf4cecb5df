import { setTimeout as delay } from 'node:timers/promises';
import { DaemonWorld, type Scope } from './daemon-world.ts';
import type { Galera, GaleraNode } from './galera.ts';
import { waitFor } from './wait-for.ts';

/** Times in milliseconds since the fault. */
export interface BurstTimes {
  /** When the cluster took writes again, by a client that does nothing else. */
  readonly writableMs: number;
  /** When the first alarm was cleared after the fault had told. */
  readonly clearedMs: number;
}

/** What a test of a daemon on a cluster needs: fifty processes, the daemon, and an eye on the alarms at a node that nothing happens to. */
export class GaleraBurst {
  readonly world: DaemonWorld;
  readonly ids: number[] = [];
  readonly #watched: GaleraNode;

  private constructor(world: DaemonWorld, watched: GaleraNode) {
    this.world = world;
    this.#watched = watched;
  }

  /** The daemon is told of the nodes in their order; the last one is watched. */
  static async open(t: Scope, { nodes }: Galera, database: Readonly<Record<string, number>>): Promise<GaleraBurst> {
    const [, , watched] = nodes;
    const world = await DaemonWorld.open(t, watched);
    const burst = new GaleraBurst(world, watched);
    for (let i = 1; i <= SIZE; i++) burst.ids.push(await world.add(`p${i}`));
    await watched.sql(`CREATE OR REPLACE USER monitor@'%'; GRANT ALL ON ${world.database}.* TO monitor@'%'`);
    await watched.sql(
      `CREATE TABLE ${world.database}.beats (id INT PRIMARY KEY, n INT); INSERT INTO ${world.database}.beats VALUES (1, 0)`,
    );
    const host = nodes.map(({ address, port }) => `${address}:${port}`).join(', ');
    const restart = `sleep 0.3; echo "$MONITOR_PROCESS_ID" >> ${world.dir}/restarts`;
    world.configure({
      database: { socket: undefined, host, user: 'monitor', connect_timeout: 5, query_timeout: 10, ...database },
      'process.default': { restart_command: restart },
    });
    return burst;
  }

  /** Raises all alarms at once. */
  async raise(): Promise<void> {
    await this.world.sql('UPDATE STATUS_PROCESS SET alarma = 1, sound = 0');
  }

  /** How many alarms are cleared, as a node sees it. */
  async cleared(node: GaleraNode = this.#watched): Promise<number> {
    const [row] = await node.sql(`SELECT COUNT(*) AS n FROM ${this.world.database}.STATUS_PROCESS WHERE alarma = 0`);
    return Number(row?.n);
  }

  /** Waits until so many are cleared, of which others are under way. */
  async midway(): Promise<void> {
    await waitFor('the burst is being healed', async () => (await this.cleared()) >= 10);
  }

  /** Lets the fault happen and waits until all alarms are cleared. */
  async through(fault: () => Promise<void>, limitMs: number): Promise<BurstTimes> {
    const over = new AbortController();
    const beats = this.#beats(over.signal);
    const clearings = this.#clearings(over.signal);
    try {
      await delay(200);
      await fault();
      const at = performance.now();
      await this.world.until('all alarms are cleared', async () => (await this.cleared()) === SIZE, limitMs);
      over.abort();
      const longest = (await beats).filter(({ end }) => end > at).toSorted((one, other) => length(other) - length(one))[0];
      const next = (await clearings).find((ms) => ms > at + SETTLED_MS);
      return { writableMs: (longest?.end ?? Number.NaN) - at, clearedMs: (next ?? Number.NaN) - at };
    } finally {
      over.abort();
    }
  }

  /** Ids that were restarted, and how often each if not once. */
  restarts(): { readonly ids: readonly number[]; readonly twice: readonly number[] } {
    const all = this.world.restarts();
    const ids = [...new Set(all)].sort((one, other) => one - other);
    return { ids, twice: ids.filter((id) => all.filter((other) => other === id).length > 1) };
  }

  /** Writes of a client that writes one after the other. */
  async #beats(over: AbortSignal): Promise<{ start: number; end: number }[]> {
    const connection = await this.#watched.connect(this.world.database);
    const beats: { start: number; end: number }[] = [];
    while (!over.aborted) {
      const start = performance.now();
      // The view may change under a write.
      await connection.query('UPDATE beats SET n = n + 1').catch(() => undefined);
      beats.push({ start, end: performance.now() });
      await delay(10);
    }
    connection.destroy();
    return beats;
  }

  /** When more alarms were found cleared. */
  async #clearings(over: AbortSignal): Promise<number[]> {
    const connection = await this.#watched.connect(this.world.database);
    const times: number[] = [];
    let last = Number.POSITIVE_INFINITY;
    while (!over.aborted) {
      const [rows] = await connection.query('SELECT COUNT(*) AS n FROM STATUS_PROCESS WHERE alarma = 0');
      const n = Number((rows as { n: number }[])[0]?.n);
      if (n > last) times.push(performance.now());
      last = n;
      await delay(10);
    }
    connection.destroy();
    return times;
  }
}

const SIZE = 50;
/** What was on its way when the fault came is there by then; a cluster's view takes seconds to change. */
const SETTLED_MS = 500;

function length({ start, end }: { readonly start: number; readonly end: number }): number {
  return end - start;
}
