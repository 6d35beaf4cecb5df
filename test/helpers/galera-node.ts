import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { freePort } from './free-port.ts';
import { galeraLibrary, sstFolder } from './galera-programs.ts';
import { findServer, newDataCommand, serverCommand } from './mariadb-programs.ts';
import { threadStates } from './thread-states.ts';
import { waitFor } from './wait-for.ts';

/** rsync gives up root's rights by itself, and could then not write what a node of root's owns. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** One node of a cluster: a MariaDB on a loopback address of its own; root has no password on its socket. */
export class GaleraNode {
  readonly name: string;
  readonly address: string;
  readonly dir: string;
  readonly socket: string;
  /** Of SQL. */
  port = 0;
  #group = 0;
  #child: ChildProcess | undefined;
  readonly #atExit = (): void => void this.#child?.kill('SIGKILL');

  constructor(name: string, address: string, parent: string) {
    this.name = name;
    this.address = address;
    this.dir = join(parent, name);
    this.socket = join(this.dir, 'server.sock');
    process.once('exit', this.#atExit);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Where the other nodes find it. */
  get member(): string {
    return `${this.address}:${this.#group}`;
  }

  /** Makes its folder, with empty data unless the state comes from another node, and picks its ports. */
  async prepare(isFirst: boolean): Promise<void> {
    for (const folder of [this.dir, join(this.dir, 'data')]) {
      mkdirSync(folder);
      chmodSync(folder, 0o755);
      if (NOBODY.uid !== undefined) chownSync(folder, NOBODY.uid, NOBODY.gid);
    }
    [this.port, this.#group] = [await freePort(), await freePort()];
    const [program, ...args] = newDataCommand(findServer() ?? '', join(this.dir, 'data'));
    if (isFirst) execFileSync(program, asNobody(args), { ...NOBODY, stdio: 'pipe', timeout: 60_000 });
  }

  /** Starts it; `members`: none for the first node of a cluster. */
  async start(members: readonly string[]): Promise<void> {
    const [ist, sst] = [await freePort(), await freePort()];
    const [program, ...basic] = serverCommand(findServer() ?? '', join(this.dir, 'data'));
    const { address, dir, socket } = this;
    const options = [
      `base_host=${address};base_port=${this.#group};gmcast.listen_addr=tcp://${this.member}`,
      `ist.recv_addr=${address}:${ist};gcache.size=8M;gcache.page_size=8M`,
    ];
    const args = [
      `--socket=${socket}`,
      `--pid-file=${join(dir, 'pid')}`,
      `--bind-address=${address}`,
      `--port=${this.port}`,
      '--skip-name-resolve',
      '--binlog-format=ROW',
      '--innodb-autoinc-lock-mode=2',
      '--wsrep-on=ON',
      `--wsrep-provider=${galeraLibrary()}`,
      `--wsrep-provider-options=${options.join(';')}`,
      `--wsrep-cluster-address=gcomm://${members.join(',')}`,
      '--wsrep-cluster-name=monitor-test',
      `--wsrep-node-name=${this.name}`,
      `--wsrep-node-address=${this.member}`,
      '--wsrep-sst-method=rsync',
      `--wsrep-sst-receive-address=${address}:${sst}`,
    ];
    const log = openSync(join(dir, 'server.log'), 'a');
    const child = spawn(program, [...asNobody(basic), ...args], {
      ...NOBODY,
      stdio: ['ignore', log, log],
      env: { PATH: `${sstFolder()}:/usr/sbin:/sbin:${process.env.PATH ?? ''}` },
    });
    closeSync(log);
    child.unref();
    this.#child = child;
  }

  /** Waits until it is a full member of a cluster of so many nodes. */
  async synced(size: number, limitMs: number): Promise<void> {
    const wanted = { wsrep_cluster_size: String(size), wsrep_local_state_comment: 'Synced', wsrep_ready: 'ON' };
    await this.#says(wanted, limitMs, `${this.name} is one of ${size}`);
  }

  /** Waits until it knows that it is outside of the primary component. */
  async outside(): Promise<void> {
    await this.#says({ wsrep_ready: 'OFF' }, 60_000, `${this.name} is outside`);
  }

  async #says(wanted: Readonly<Record<string, string>>, limitMs: number, what: string): Promise<void> {
    const condition = async (): Promise<boolean> => {
      if (this.#isOver()) throw new Error(`${this.name} ended:\n${this.log().slice(-3000)}`);
      const rows = await this.sql("SHOW STATUS LIKE 'wsrep_%'").catch(() => []);
      const status = Object.fromEntries(rows.map((row) => [row.Variable_name, row.Value]));
      return Object.entries(wanted).every(([name, value]) => status[name] === value);
    };
    await waitFor(what, condition, limitMs);
  }

  log(): string {
    return readFileSync(join(this.dir, 'server.log'), 'utf8');
  }

  /** A connection of root's, which the caller ends. */
  connect(database?: string): Promise<Connection> {
    const options = { socketPath: this.socket, user: 'root', multipleStatements: true, connectTimeout: 20_000 };
    return createConnection({ ...options, ...(database === undefined ? {} : { database }) });
  }

  async sql(statement: string): Promise<RowDataPacket[]> {
    const connection = await this.connect();
    try {
      const [rows] = await connection.query(statement);
      return Array.isArray(rows) ? (rows as RowDataPacket[]) : [];
    } finally {
      connection.destroy();
    }
  }

  /** SIGSTOP; resolves when every thread stands still. */
  async pause(): Promise<void> {
    this.#child?.kill('SIGSTOP');
    await waitFor('the node stands still', () => threadStates(this.pid).every((state) => state === 'T'));
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Takes it off the cluster's network, or puts it back; clients reach it all the same. */
  async isolate(isOff: boolean): Promise<void> {
    await this.sql(`SET GLOBAL wsrep_provider_options = 'gmcast.isolate=${isOff ? 1 : 0}'`);
  }

  /** Keeps it from applying what others write, while it answers reads; what lets it go on. */
  async holdApplier(): Promise<() => Promise<void>> {
    const connection = await this.connect();
    // Without this it would slow the others down.
    await connection.query('SET GLOBAL wsrep_desync = ON; FLUSH TABLES WITH READ LOCK');
    return async () => {
      await connection.query('UNLOCK TABLES; SET GLOBAL wsrep_desync = OFF');
      connection.destroy();
    };
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    process.removeListener('exit', this.#atExit);
    const child = this.#child;
    if (child === undefined || this.#isOver()) return;
    child.ref();
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  #isOver(): boolean {
    return this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Without what a server needs that runs as root. */
function asNobody(args: readonly string[]): string[] {
  return args.filter((arg) => arg !== '--user=root');
}
