import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import type { DaemonStatus } from '../../src/control/status.ts';
import { type CliResult, DaemonProcess, runCli } from './daemon.ts';
import { killLeftovers, leftovers } from './leftovers.ts';
import { waitFor } from './wait-for.ts';

/** Keys by section; undefined takes a key away. */
export type Sections = Readonly<Record<string, Readonly<Record<string, string | number | boolean | undefined>>>>;

/** What tidies up at the end: a test's context is one. */
export interface Scope {
  after(end: () => Promise<void>): void;
}

/** A row of STATUS_PROCESS. */
export interface StatusRow {
  readonly alarma: number | null;
  readonly sound: number | null;
  readonly notes: string | null;
}

/**
 * What a test of the whole daemon needs: a folder, a database of its own on a real server, a configuration, and daemons. By
 * default it polls five times a second, and a restart writes the row's id into the file `restarts`. After the test nothing of it
 * is left, and that nothing was left behind by the daemon is part of the test.
 */
export class DaemonWorld {
  readonly dir: string;
  readonly database: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly #socket: string;
  readonly #daemons: DaemonProcess[] = [];
  #sections: Sections;
  #lastId = 0;

  private constructor(dir: string, socket: string) {
    this.dir = dir;
    this.database = basename(dir).replaceAll(/[^A-Za-z0-9]/g, '_');
    this.configFile = join(dir, 'config.ini');
    this.logFile = join(dir, 'monitor.log');
    this.#socket = socket;
    this.#sections = defaultSections(dir, this.database, socket);
  }

  /** Opens a world on a server; it is closed after the test. */
  static async open(t: Scope, { socket }: { readonly socket: string }, sections: Sections = {}): Promise<DaemonWorld> {
    const world = new DaemonWorld(mkdtempSync(join(tmpdir(), 'daemon-test-')), socket);
    t.after(() => world.#close());
    writeFileSync(join(world.dir, 'restarts'), '');
    await world.sql(`CREATE DATABASE ${world.database} CHARACTER SET utf8mb4`, [], null);
    await world.sql('CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT)');
    await world.sql('CREATE TABLE PROCESE (process_id INT PRIMARY KEY, process_name VARCHAR(255))');
    world.configure(sections);
    return world;
  }

  /** Writes the configuration anew with these keys changed; what was changed before stays so. */
  configure(changes: Sections): void {
    const names = new Set([...Object.keys(this.#sections), ...Object.keys(changes)]);
    this.#write(Object.fromEntries([...names].map((name) => [name, { ...this.#sections[name], ...changes[name] }])));
  }

  /** Writes the configuration anew without this section. */
  remove(section: string): void {
    this.#write(Object.fromEntries(Object.entries(this.#sections).filter(([name]) => name !== section)));
  }

  #write(sections: Sections): void {
    this.#sections = sections;
    const text = Object.entries(this.#sections).map(([name, keys]) => {
      const lines = Object.entries(keys).flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${value}`]));
      return [`[${name}]`, ...lines, ''].join('\n');
    });
    writeFileSync(this.configFile, text.join('\n'), { mode: 0o600 });
  }

  /** Runs one statement as the server's root; the rows it gives. */
  async sql<Row = Record<string, unknown>>(
    statement: string,
    values: readonly (string | number | null)[] = [],
    database: string | null = this.database,
  ): Promise<Row[]> {
    // A connection each: the server may have been killed since the last one.
    const connection = await createConnection({
      socketPath: this.#socket,
      user: 'root',
      charset: 'utf8mb4',
      ...(database === null ? {} : { database }),
    });
    try {
      const [rows] = await connection.query(statement, [...values]);
      return Array.isArray(rows) ? (rows as Row[]) : [];
    } finally {
      connection.destroy();
    }
  }

  /** Registers a process that is well; its id. */
  async add(name: string | null): Promise<number> {
    const id = ++this.#lastId;
    await this.sql('INSERT INTO PROCESE VALUES (?, ?)', [id, name]);
    await this.sql('INSERT INTO STATUS_PROCESS VALUES (?, 0, 0, NULL)', [id]);
    return id;
  }

  /** Raises an alarm, as a foreign program does. */
  async raise(id: number, notes: string | null = null): Promise<void> {
    await this.sql('UPDATE STATUS_PROCESS SET alarma = 1, sound = 0, notes = ? WHERE process_id = ?', [notes, id]);
  }

  async row(id: number): Promise<StatusRow> {
    const [row] = await this.sql<StatusRow>('SELECT alarma, sound, notes FROM STATUS_PROCESS WHERE process_id = ?', [id]);
    assert(row, `there is a row ${id}`);
    return row;
  }

  /** Waits until no row but `except` is in alarm. */
  async allClear({ except = [], limitMs }: { except?: readonly number[]; limitMs?: number } = {}): Promise<void> {
    const others = except.length === 0 ? '' : ` AND process_id NOT IN (${except.join(', ')})`;
    await this.until(
      'every alarm is cleared',
      async () => {
        const rows = await this.sql(`SELECT process_id FROM STATUS_PROCESS WHERE alarma = 1${others} LIMIT 1`);
        return rows.length === 0;
      },
      limitMs,
    );
  }

  /** waitFor, with the daemon's last lines where it fails. */
  async until<T>(what: string, condition: () => T | Promise<T>, limitMs?: number): Promise<NonNullable<T>> {
    try {
      return await waitFor(what, condition, limitMs);
    } catch (error) {
      const last = this.#daemons.at(-1);
      const said = last === undefined ? '' : `\n${last.stdout().slice(-4000)}\n${last.stderr().slice(-2000)}`;
      throw new Error(`${String(error)}${said}`);
    }
  }

  /** The ids that were restarted, in order. */
  restarts(): number[] {
    return readFileSync(join(this.dir, 'restarts'), 'utf8').split('\n').filter(Boolean).map(Number);
  }

  /** Starts a daemon and waits until its loop runs. */
  async start(nodeArgs: readonly string[] = []): Promise<DaemonProcess> {
    const daemon = new DaemonProcess(this.configFile, {}, nodeArgs);
    this.#daemons.push(daemon);
    await daemon.line(/ started \(pid \d+\)/);
    return daemon;
  }

  /** Runs `monitor_service ARGS… --config FILE`. */
  cli(...args: string[]): Promise<CliResult> {
    return runCli([...args, '--config', this.configFile]);
  }

  /** What the daemon's control socket says of it. */
  async status(): Promise<DaemonStatus> {
    return (await getJson(String(this.#sections.control?.socket), '/v1/status')) as DaemonStatus;
  }

  /** Waits until a daemon that has ended has left no process and no socket of its own behind. */
  async nothingLeft(): Promise<void> {
    await waitFor('no process is left behind', () => leftovers(this.dir).length === 0, 5_000).catch(() => {
      const left = leftovers(this.dir).map(({ pid, command }) => `${pid} ${command}`);
      assert.deepEqual(left, [], 'no process is left behind');
    });
    assert.equal(existsSync(join(this.dir, 'control.sock')), false, 'the control socket is removed');
  }

  async #close(): Promise<void> {
    for (const daemon of this.#daemons) await daemon.stop('SIGKILL');
    killLeftovers(this.dir);
    await waitFor('everything of the test has ended', () => leftovers(this.dir).length === 0);
    rmSync(this.dir, { recursive: true, force: true });
    await this.sql(`DROP DATABASE IF EXISTS ${this.database}`, [], null);
  }
}

/** What the control socket answers to a GET. */
export async function getJson(socketPath: string, path: string): Promise<unknown> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ socketPath, path, agent: false }, resolve).on('error', reject);
  });
  const text = (await answer.setEncoding('utf8').toArray()).join('');
  assert.equal(answer.statusCode, 200, text);
  return JSON.parse(text);
}

function defaultSections(dir: string, database: string, socket: string): Sections {
  return {
    // On a busy machine a server that is well takes more than a second now and then.
    database: { socket, user: 'root', password: '', database, connect_timeout: 3, query_timeout: 3 },
    monitor: { check_interval: 0.2, state_dir: join(dir, 'state') },
    logging: { file: join(dir, 'monitor.log'), syslog: 'off' },
    control: { socket: join(dir, 'control.sock') },
    'process.default': {
      restart_strategy: 'custom',
      restart_command: `echo "$MONITOR_PROCESS_ID" >> ${dir}/restarts`,
      restart_delay: 0.1,
    },
  };
}
