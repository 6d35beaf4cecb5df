import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { DaemonWorld, type Scope, type Sections } from '../helpers/daemon-world.ts';
import type { Mariadb } from '../helpers/mariadb.ts';
import { nodeArgs } from './line-program.ts';
import type { BenchRow } from './report.ts';

/** One part of the benchmark, from start to end. `tell` says how far it is. */
export type BenchPart = (server: Mariadb, tell: (progress: string) => void) => Promise<BenchRow[]>;

/** The time one restart takes in every part that says nothing else. */
export const RESTART_S = 0.1;

/** A world with `processes` rows `p1`, `p2` … (none in alarm), the index of setup.sql, and a clock on its alarms. */
export class BenchWorld {
  readonly world: DaemonWorld;
  readonly #connection: Connection;

  private constructor(world: DaemonWorld, connection: Connection) {
    this.world = world;
    this.#connection = connection;
  }

  /** Opens one for `work` and closes it after, whatever happens. */
  static async use<T>(
    server: Mariadb,
    processes: number,
    sections: Sections,
    work: (bench: BenchWorld) => Promise<T>,
  ): Promise<T> {
    const ends: (() => Promise<void>)[] = [];
    const scope: Scope = { after: (end) => void ends.unshift(end) };
    try {
      const world = await DaemonWorld.open(scope, server, SECTIONS);
      world.configure(sections);
      const connection = await createConnection({ socketPath: server.socket, user: 'root', database: world.database });
      scope.after(() => connection.end());
      const bench = new BenchWorld(world, connection);
      await bench.#fill(processes);
      return await work(bench);
    } finally {
      for (const end of ends) await end();
    }
  }

  /** One statement, on a connection of its own that stays open: it adds nothing to the server's count of connections. */
  async sql(statement: string): Promise<RowDataPacket[]> {
    const [rows] = await this.#connection.query(statement);
    return Array.isArray(rows) ? (rows as RowDataPacket[]) : [];
  }

  /** Starts a daemon with Node's options of the unit; its process id once its loop runs. */
  async startDaemon(): Promise<{ readonly pid: number; stdout(): string; stop(): Promise<unknown> }> {
    const daemon = await this.world.start(nodeArgs());
    return { pid: daemon.child.pid ?? 0, stdout: daemon.stdout, stop: () => daemon.stop() };
  }

  /** Raises the alarm of processes 1 to `count`, all at once; milliseconds of the epoch. */
  async raise(count: number): Promise<number> {
    await this.sql('TRUNCATE clearings');
    const [row] = await this.sql('SELECT UNIX_TIMESTAMP(SYSDATE(6)) * 1000 AS at');
    await this.sql(`UPDATE STATUS_PROCESS SET alarma = 1, sound = 0, notes = NULL WHERE process_id <= ${count}`);
    return Number(row?.at);
  }

  /** Waits until `count` alarms were cleared; when the last of them was, milliseconds of the epoch. */
  async cleared(count: number, limitMs: number): Promise<number> {
    let last = 0;
    const look = async (): Promise<boolean> => {
      const [row] = await this.sql('SELECT COUNT(*) AS n, UNIX_TIMESTAMP(MAX(at)) * 1000 AS at FROM clearings');
      last = Number(row?.at);
      return Number(row?.n) >= count;
    };
    await this.world.until(`${count} alarms are cleared`, look, limitMs);
    return last;
  }

  /** A counter of the server's (SHOW GLOBAL STATUS). */
  async counter(name: 'Questions' | 'Connections'): Promise<number> {
    const [row] = await this.sql(`SHOW GLOBAL STATUS LIKE '${name}'`);
    return Number(row?.Value);
  }

  async #fill(processes: number): Promise<void> {
    await this.sql('ALTER TABLE STATUS_PROCESS ADD INDEX alarm_poll (alarma, sound, process_id)');
    await this.sql(`INSERT INTO PROCESE SELECT seq, CONCAT('p', seq) FROM seq_1_to_${processes}`);
    await this.sql(`INSERT INTO STATUS_PROCESS SELECT seq, 0, 0, NULL FROM seq_1_to_${processes}`);
    await this.sql('ANALYZE TABLE STATUS_PROCESS, PROCESE');
    await this.sql('CREATE TABLE clearings (process_id INT, at DATETIME(6))');
    await this.sql(`CREATE TRIGGER cleared AFTER UPDATE ON STATUS_PROCESS FOR EACH ROW
      IF old.alarma = 1 AND new.alarma = 0 THEN INSERT INTO clearings VALUES (new.process_id, SYSDATE(6)); END IF`);
  }
}

const SECTIONS: Sections = {
  database: { connect_timeout: undefined, query_timeout: undefined },
  // Rows are used again and again here.
  monitor: { flap_recoveries: 0 },
  logging: { format: 'json' },
  'process.default': { restart_command: `sleep ${RESTART_S}`, restart_delay: undefined },
};

/** When the daemon first told of an alarm after `sinceMs`, milliseconds of the epoch: the end of the poll that saw it. */
export function firstFound(stdout: string, sinceMs: number): number {
  for (const line of stdout.split('\n')) {
    if (!line.includes('"Found process in alarm')) continue;
    const at = Date.parse((JSON.parse(line) as { time: string }).time);
    if (at >= Math.floor(sinceMs)) return at;
  }
  throw new Error('the daemon told of no alarm');
}
