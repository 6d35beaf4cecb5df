import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { SectionReader } from '../core/config.ts';
import { errorMessage } from '../core/errors.ts';

/** One place where a server may answer. */
export type MysqlAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'socket'; readonly path: string };

/** The `[database]` keys of the MySQL store. */
export interface MysqlOptions {
  /** Tried in this order. */
  readonly addresses: readonly MysqlAddress[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `off`; `required`: encrypted; `verify`: and the server's certificate and name are checked. */
  readonly ssl: 'off' | 'required' | 'verify';
  /** PEM; undefined: what Node.js trusts. */
  readonly sslCa: string | undefined;
  readonly compress: boolean;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
  /** Connections at once; at least 2, so that the pool can let idle ones go. */
  readonly poolSize: number;
}

/** Where the server's socket is, on the distributions we know: what the mysql client means by `localhost`. */
const KNOWN_SOCKETS = ['/var/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

/** Reads the keys of `driver = mysql`; problems that only matter when it is in use are told only where `required`. */
export function parseMysql(section: SectionReader, required: boolean, env: NodeJS.ProcessEnv = process.env): MysqlOptions {
  const port = section.integer('port', { default: 3306, min: 1, max: 65_535 });
  const ssl = section.choice('ssl', ['off', 'required', 'verify'], 'off');
  const caFile = section.text('ssl_ca');
  const options: MysqlOptions = {
    addresses: parseAddresses(section, port),
    user: section.text('user') ?? 'root',
    password: parsePassword(section, required, env),
    database: section.text('database') ?? 'v_process_monitor',
    ssl,
    sslCa: caFile === undefined || !required ? undefined : readOrReport(section, 'ssl_ca', caFile),
    compress: section.boolean('compress', false),
    connectTimeoutMs: section.secondsAsMs('connect_timeout', { default: 5, min: 0.1, max: 300 }),
    queryTimeoutMs: section.secondsAsMs('query_timeout', { default: 10, min: 0.1, max: 3600 }),
    poolSize: section.integer('pool_size', { default: 4, min: 2, max: 100 }),
  };
  if (ssl === 'off' && caFile !== undefined) section.warning('ssl_ca', 'has no effect with ssl = off (expected ssl = verify)');
  return options;
}

function parseAddresses(section: SectionReader, defaultPort: number): MysqlAddress[] {
  const socket = section.text('socket');
  if (socket !== undefined) return [{ kind: 'socket', path: socket }];
  const hosts = section.list('host');
  return (hosts.length === 0 ? ['localhost'] : hosts).flatMap((host) => {
    if (host === 'localhost' && !section.has('port')) {
      return [
        ...KNOWN_SOCKETS.map((path) => ({ kind: 'socket' as const, path })),
        { kind: 'tcp' as const, host: '127.0.0.1', port: defaultPort },
      ];
    }
    const address = parseHost(host, defaultPort);
    if (address === undefined)
      section.problem('host', `cannot be read (expected HOST, HOST:PORT or [IPV6]:PORT, got ${JSON.stringify(host)})`);
    return address === undefined ? [] : [address];
  });
}

function parseHost(text: string, defaultPort: number): MysqlAddress | undefined {
  const [, bracketed, plain, portText] =
    /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]/]+|[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = portText === undefined ? defaultPort : Number(portText);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { kind: 'tcp', host, port };
}

function parsePassword(section: SectionReader, required: boolean, env: NodeJS.ProcessEnv): string {
  const file = section.text('password_file');
  const password = section.verbatim('password');
  if (file === undefined) return password ?? '';
  if (password !== undefined) section.warning('password', 'has no effect: password_file is used');
  if (!required) return '';
  const folder = env.CREDENTIALS_DIRECTORY;
  const path = isAbsolute(file) || folder === undefined ? file : join(folder, file);
  return readOrReport(section, 'password_file', path)?.replace(/\r?\n$/, '') ?? '';
}

function readOrReport(section: SectionReader, key: string, path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    section.problem(key, `cannot be read: ${errorMessage(error)}`);
    return undefined;
  }
}

/** For people: where the store is. Never a secret. */
export function describeMysql({ addresses, database }: MysqlOptions): string {
  const tcp = addresses.filter((address) => address.kind === 'tcp' || addresses.length === 1 || existsSync(address.path));
  return `mysql ${(tcp.length === 0 ? addresses : tcp).map(describeAddress).join(', ')}/${database}`;
}

/** `db1:3306`, `[::1]:3306`, `/run/mysqld/mysqld.sock`. */
export function describeAddress(address: MysqlAddress): string {
  if (address.kind === 'socket') return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
