import { createPublicKey } from 'node:crypto';
import type { SectionReader } from '../../core/config.ts';
import { userId } from '../../system/accounts/database.ts';
import { readNamedFile } from '../../system/files/read-named-file.ts';
import { endpointName, LOCALHOST, type MysqlEndpoint, parseHosts } from './endpoints.ts';

/** The `[database]` keys of the MySQL store. */
export interface MysqlOptions {
  /** Where the server may answer, in the order in which the endpoints are tried. */
  readonly endpoints: readonly MysqlEndpoint[];
  /** The uid of `socket_owner`, who may run the server behind a Unix socket besides root, `mysql` and our own user. */
  readonly socketOwner: number | undefined;
  /** `user`; default monitor_service. */
  readonly user: string;
  /** `password`, or the content of `password_file` without its line end; may be empty. */
  readonly password: string;
  /** `database`; default v_process_monitor. */
  readonly database: string;
  /** `ssl`: off (default), required (encrypted), verify (encrypted, with the server's certificate and name checked). */
  readonly ssl: 'off' | 'required' | 'verify';
  /** The content of `ssl_ca`, PEM; undefined: the authorities that Node.js trusts. */
  readonly ca: string | undefined;
  /** The content of `server_public_key`, PEM: the public RSA key that the server uses for logins by SHA-256. */
  readonly serverPublicKey: string | undefined;
  /** `compress`; default false. */
  readonly compress: boolean;
  /** `connect_timeout`, for each host; default 5 s. */
  readonly connectTimeoutMs: number;
  /** `query_timeout` of a call, once connected; default 10 s. */
  readonly queryTimeoutMs: number;
  /** `read_timeout` of a poll or re-read at one host, once connected; default `query_timeout`, at most 10 s. */
  readonly readTimeoutMs: number;
  /**
   * `failback`: how long an earlier host has to answer before it is used again (half to one and a half times as long); 0:
   * never; default 60 s.
   */
  readonly failbackMs: number;
  /** `pool_size`: simultaneous connections besides the one of polls and re-reads; default 4. */
  readonly poolSize: number;
}

/** Reads the keys of `driver = mysql`. Problems go to the reader; none contains a password. `exists`: see parseHosts. */
export function parseMysql(
  section: SectionReader,
  env: NodeJS.ProcessEnv = process.env,
  exists?: (path: string) => boolean,
): MysqlOptions {
  const ssl = section.choice('ssl', ['off', 'required', 'verify'], 'off');
  const caFile = section.text('ssl_ca');
  const queryTimeoutMs = section.secondsAsMs('query_timeout', { default: 10, min: 0.1, max: 120 });
  if (ssl !== 'verify' && caFile !== undefined)
    section.warning('ssl_ca', `has no effect with ssl = ${ssl} (expected ssl = verify)`);
  const endpoints = parseHosts(section, exists);
  return {
    endpoints,
    socketOwner: parseSocketOwner(section, endpoints),
    user: section.text('user') ?? 'monitor_service',
    password: parsePassword(section, env),
    database: section.text('database') ?? 'v_process_monitor',
    ssl,
    ca: ssl === 'verify' ? readNamedFile(section, 'ssl_ca', env, { secret: false }) : undefined,
    serverPublicKey: parsePublicKey(section, { ssl, endpoints, env }),
    compress: section.boolean('compress', false),
    connectTimeoutMs: section.secondsAsMs('connect_timeout', { default: 5, min: 0.1, max: 300 }),
    queryTimeoutMs,
    readTimeoutMs: section.secondsAsMs('read_timeout', { default: Math.min(queryTimeoutMs / 1000, 10), min: 0.1, max: 120 }),
    failbackMs: section.secondsAsMs('failback', { default: 60, min: 0, max: 86_400 }),
    poolSize: section.integer('pool_size', { default: 4, min: 1, max: 100 }),
  };
}

function parsePassword(section: SectionReader, env: NodeJS.ProcessEnv): string {
  const password = section.secret('password');
  if (section.text('password_file') === undefined) return password ?? '';
  if (password !== undefined) section.warning('password', 'has no effect: password_file is used');
  // Editors and echo(1) end the last line with a line break; nobody means a password that ends with one.
  return (readNamedFile(section, 'password_file', env, { secret: true }) ?? '').replace(/\r?\n$/, '');
}

/**
 * Where the store is, for people: the server that answered, otherwise every host that will be asked. Never contains a secret.
 */
export function describeMysql({ endpoints, database }: MysqlOptions, answered?: string): string {
  const asked = endpoints.map((endpoint) =>
    endpoint.kind === 'socket' && endpoint.optional ? LOCALHOST : endpointName(endpoint),
  );
  return `mysql ${answered ?? [...new Set(asked)].join(', ')}/${database}`;
}

/**
 * Reads `socket_owner`, a user by name (passwd(5)) or number. Undefined if absent, or if the user is unknown, which is a
 * problem.
 */
function parseSocketOwner(section: SectionReader, endpoints: readonly MysqlEndpoint[]): number | undefined {
  const user = section.text('socket_owner');
  if (user === undefined) return undefined;
  if (!endpoints.some(({ kind }) => kind === 'socket'))
    section.warning('socket_owner', 'has no effect: no host is reached by a Unix socket');
  const uid = userId(user);
  if (uid === undefined)
    section.problem('socket_owner', `invalid value "${user}", expected the name of a user in /etc/passwd, or a user's number`);
  return uid;
}

/**
 * Reads the file that `server_public_key` names: a public RSA key in PEM. Undefined if absent, or if it is something else,
 * which is a problem.
 */
function parsePublicKey(
  section: SectionReader,
  {
    ssl,
    endpoints,
    env,
  }: { readonly ssl: string; readonly endpoints: readonly MysqlEndpoint[]; readonly env: NodeJS.ProcessEnv },
): string | undefined {
  const key = 'server_public_key';
  const pem = readNamedFile(section, key, env, { secret: false });
  if (pem === undefined) return undefined;
  if (ssl !== 'off')
    section.warning(
      key,
      `has no effect with ssl = ${ssl}: over TLS a server does not accept a password that is encrypted with a key`,
    );
  else if (!endpoints.some(({ kind }) => kind === 'tcp')) section.warning(key, 'has no effect: no host is reached by TCP');
  if (isPublicRsaKey(pem)) return pem;
  section.problem(key, "invalid value, expected a public RSA key in PEM, such as public_key.pem in the server's data folder");
  return undefined;
}

function isPublicRsaKey(pem: string): boolean {
  // A public key could be derived from a private one, but a private key has no business here.
  if (pem.includes('PRIVATE KEY')) return false;
  try {
    return createPublicKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
