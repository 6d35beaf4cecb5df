import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { createCertificates } from './certificates.ts';
import { freePort } from './free-port.ts';
import type { Mariadb, MariadbOptions } from './mariadb-port.ts';
import { findProgram, findServer, newDataCommand, serverCommand } from './mariadb-programs.ts';
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

/** Several at the same time; where one of them does not start, none is left. */
export async function startMariadbs<const Options extends readonly MariadbOptions[]>(
  options: Options,
): Promise<{ [Server in keyof Options]: Mariadb }> {
  const started = await Promise.allSettled(options.map(startMariadb));
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failure = started.find((one) => one.status === 'rejected');
  if (failure === undefined) return servers as { [Server in keyof Options]: Mariadb };
  await Promise.all(servers.map((server) => server.stop()));
  throw failure.reason;
}

class PrivateServer implements Mariadb {
  readonly dir = mkdtempSync(join(tmpdir(), 'monitor-mariadb-'));
  readonly socket = join(this.dir, 'server.sock');
  readonly ca: string | undefined;
  port = 0;
  readonly #program: string;
  readonly #tls: readonly string[] | undefined;
  readonly #user: string | undefined;
  #args: readonly string[];
  #child: ChildProcess | undefined;
  readonly #atExit = (): void => void this.#child?.kill('SIGKILL');

  constructor(program: string, { args = [], tls, user }: MariadbOptions) {
    this.#program = program;
    this.#args = args;
    this.#tls = tls;
    this.#user = user;
    this.ca = tls === undefined ? undefined : join(this.dir, 'ca.pem');
    process.once('exit', this.#atExit);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  initialise(): void {
    if (this.#tls !== undefined) createCertificates(this.dir, this.#tls);
    const [program, ...args] = newDataCommand(this.#program, join(this.dir, 'data'));
    execFileSync(program, args, { stdio: 'pipe', timeout: INITIALISE_MS });
    if (this.#user !== undefined) execFileSync('chown', ['-R', this.#user, this.dir]);
  }

  async start(): Promise<void> {
    this.port ||= await freePort();
    const log = openSync(join(this.dir, 'server.log'), 'a');
    const [program, ...basic] = serverCommand(this.#program, join(this.dir, 'data'), this.#user);
    const place = [`--socket=${this.socket}`, `--pid-file=${join(this.dir, 'pid')}`];
    const network = ['--bind-address=127.0.0.1', `--port=${this.port}`, '--skip-name-resolve'];
    const tls =
      this.#tls === undefined ? [] : ['ca', 'cert', 'key'].map((part) => `--ssl-${part}=${join(this.dir, PEM[part] ?? '')}`);
    const child = spawn(program, [...basic, ...place, ...network, ...tls, ...this.#args], {
      stdio: ['ignore', log, log],
      env: { PATH: process.env.PATH ?? '' },
    });
    closeSync(log);
    // A test file that never comes to stop it ends all the same, and the server with it.
    child.unref();
    this.#child = child;
    await waitFor(
      `${this.#program} answers`,
      async () => {
        if (isOver(child))
          throw new Error(`${this.#program} ended:\n${readFileSync(join(this.dir, 'server.log'), 'utf8').slice(-3000)}`);
        return this.sql('SELECT 1').then(
          () => true,
          () => false,
        );
      },
      START_MS,
    );
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
    child.ref();
    const exit = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await exit;
  }
}

/** Each takes less than a second, on a machine that does nothing else. */
const [INITIALISE_MS, START_MS] = [120_000, 120_000];

const PEM: Readonly<Record<string, string>> = { ca: 'ca.pem', cert: 'server.pem', key: 'server.key' };

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
