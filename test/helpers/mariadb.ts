import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { createCertificates } from './certificates.ts';
import { freePort } from './free-port.ts';
import type { Mariadb, MariadbOptions } from './mariadb-port.ts';
import { findProgram, findServer } from './mariadb-programs.ts';
import { threadStates } from './thread-states.ts';
import { waitFor } from './wait-for.ts';

export type { Mariadb, MariadbOptions } from './mariadb-port.ts';
export { ensureMariadb, mariadbProblem } from './mariadb-programs.ts';

/** Starts a private server and waits until it answers. Call `stop` after; it dies with this process at the latest. */
export async function startMariadb(options: MariadbOptions = {}): Promise<Mariadb> {
  const program = findServer();
  if (program === undefined) throw new Error('no mariadbd or mysqld (call ensureMariadb first)');
  const server = new PrivateServer(program, options);
  try {
    server.initialise();
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class PrivateServer implements Mariadb {
  readonly dir = mkdtempSync(join(tmpdir(), 'monitor-mariadb-'));
  readonly socket = join(this.dir, 'server.sock');
  readonly ca: string | undefined;
  port = 0;
  readonly #program: string;
  readonly #tls: readonly string[] | undefined;
  #args: readonly string[];
  #child: ChildProcess | undefined;
  readonly #atExit = (): void => void this.#child?.kill('SIGKILL');

  constructor(program: string, { args = [], tls }: MariadbOptions) {
    this.#program = program;
    this.#args = args;
    this.#tls = tls;
    this.ca = tls === undefined ? undefined : join(this.dir, 'ca.pem');
    process.once('exit', this.#atExit);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  initialise(): void {
    if (this.#tls !== undefined) createCertificates(this.dir, this.#tls);
    const data = `--datadir=${join(this.dir, 'data')}`;
    const installer = findProgram('mariadb-install-db') ?? findProgram('mysql_install_db');
    if (installer === undefined) {
      execFileSync(this.#program, ['--no-defaults', '--initialize-insecure', data, ...asUser()], { stdio: 'pipe' });
      return;
    }
    const account = ['--auth-root-authentication-method=normal', '--skip-test-db'];
    execFileSync(installer, ['--no-defaults', data, ...account, ...asUser(), ...QUICK], { stdio: 'pipe' });
  }

  async start(): Promise<void> {
    this.port ||= await freePort();
    const log = openSync(join(this.dir, 'server.log'), 'a');
    const place = [`--datadir=${join(this.dir, 'data')}`, `--socket=${this.socket}`, `--pid-file=${join(this.dir, 'pid')}`];
    const network = ['--bind-address=127.0.0.1', `--port=${this.port}`, '--skip-name-resolve'];
    const tls =
      this.#tls === undefined ? [] : ['ca', 'cert', 'key'].map((part) => `--ssl-${part}=${join(this.dir, PEM[part] ?? '')}`);
    const child = spawn(this.#program, ['--no-defaults', ...place, ...network, ...asUser(), ...QUICK, ...tls, ...this.#args], {
      stdio: ['ignore', log, log],
      env: { PATH: process.env.PATH ?? '' },
    });
    closeSync(log);
    this.#child = child;
    await waitFor(`${this.#program} answers`, async () => {
      if (isOver(child))
        throw new Error(`${this.#program} ended:\n${readFileSync(join(this.dir, 'server.log'), 'utf8').slice(-3000)}`);
      return this.sql('SELECT 1').then(
        () => true,
        () => false,
      );
    });
  }

  async sql(statements: string, database?: string): Promise<RowDataPacket[]> {
    const connection = await createConnection({
      socketPath: this.socket,
      user: 'root',
      multipleStatements: true,
      charset: 'utf8mb4',
      connectTimeout: 20_000,
      ...(database === undefined ? {} : { database }),
    });
    try {
      const [result, fields] = await connection.query(statements);
      // Of several statements come several results, and fields for those that have rows.
      const several = Array.isArray(fields) && fields.some((one) => one === undefined || Array.isArray(one));
      const results = several ? (result as unknown[]) : [result];
      return (results.filter((one) => Array.isArray(one)).at(-1) ?? []) as RowDataPacket[];
    } finally {
      // Without a farewell the server would count an aborted client.
      await connection.end().catch(() => undefined);
    }
  }

  script(file: string): string {
    const client = findProgram('mariadb') ?? findProgram('mysql');
    if (client === undefined) throw new Error('no mariadb or mysql client');
    const args = ['--no-defaults', `--socket=${this.socket}`, '--user=root', '--skip-column-names', '--batch', '--raw'];
    return execFileSync(client, args, { input: readFileSync(file), encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  }

  async pause(): Promise<void> {
    this.#child?.kill('SIGSTOP');
    await waitFor('the server stands still', () => threadStates(this.pid).every((state) => state === 'T'));
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(args: readonly string[] = this.#args): Promise<void> {
    await this.#end('SIGTERM');
    this.#args = args;
    await this.start();
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#atExit);
    // Nobody needs what is in there.
    await this.#end('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || isOver(child)) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await exit;
  }
}

/** What makes a server start fast and small. Commits survive SIGKILL, and need not survive a power cut. */
const QUICK = [
  '--innodb-flush-method=nosync',
  '--innodb-flush-log-at-trx-commit=2',
  '--innodb-doublewrite=0',
  '--innodb-buffer-pool-size=8M',
  '--innodb-log-file-size=4M',
  '--innodb-fast-shutdown=2',
  '--performance-schema=OFF',
];

const PEM: Readonly<Record<string, string>> = { ca: 'ca.pem', cert: 'server.pem', key: 'server.key' };

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The server refuses to run as root unless it is told so. */
function asUser(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}
