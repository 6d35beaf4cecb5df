// The options with which mysql2 is used.
import { isIP } from 'node:net';
import type { MysqlEndpoint } from '../endpoints.ts';
import { channelOf } from '../login/channel.ts';
import { loginPlugins } from '../login/plugins.ts';
import type { MysqlOptions } from '../options.ts';

/** The settings of a pool that are not in the configuration file. */
interface PoolSettings {
  /** The number of statements that stay prepared on each connection. */
  readonly statements: number;
  /** See loginPlugins. */
  readonly caution: (text: string) => void;
}

/** The options of mysql2's pool, except `stream`, which opens its sockets. */
export function driverOptions(endpoint: MysqlEndpoint, options: MysqlOptions, settings: PoolSettings) {
  const { user, password, database, compress, serverPublicKey } = options;
  const login = { user, password, publicKey: serverPublicKey };
  return {
    user,
    password,
    database,
    compress,
    authPlugins: loginPlugins(login, (stream) => channelOf(stream, endpoint, options), settings.caution),
    // Our own timeout knows what it waited for.
    connectTimeout: 0,
    // No limit: MysqlLane has its own in front of the pool. The pool counts a connection that was given up until its socket has
    // closed, and would delay the next one until then. And no look for idle connections each second: see IdleConnections.
    connectionLimit: 0,
    maxPreparedStatements: settings.statements,
    gracefulEnd: true,
    charset: 'utf8mb4',
    supportBigNumbers: true,
    disableEval: true,
    stringifyObjects: true,
    multipleStatements: false,
    // Without FOUND_ROWS the server counts changed rows only; without LOCAL_FILES it cannot ask for our files.
    flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
    ...tlsOptions(endpoint, options),
  };
}

/** The TLS options of mysql2: none with `ssl = off`, and then it does not encrypt. */
interface TlsOptions {
  readonly ssl?: {
    readonly rejectUnauthorized: boolean;
    readonly verifyIdentity: boolean;
    readonly minVersion: 'TLSv1.2';
    readonly ca?: string;
  };
  /** The name that the server's certificate has to prove. */
  readonly host?: string;
}

/** The TLS options for a server at `endpoint`. A server behind a Unix socket has no name: only its certificate is checked. */
function tlsOptions(endpoint: MysqlEndpoint, { ssl, ca }: MysqlOptions): TlsOptions {
  if (ssl === 'off') return {};
  const verify = ssl === 'verify';
  const verifyIdentity = verify && endpoint.kind === 'tcp';
  return {
    ssl: { rejectUnauthorized: verify, verifyIdentity, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    ...(endpoint.kind === 'tcp' ? { host: provenName(endpoint.host) } : {}),
  };
}

/**
 * mysql2 does not check the name if it is an IP address, and would then accept a certificate for "localhost". With a trailing
 * dot it checks, and tls.checkServerIdentity removes the dot again.
 */
function provenName(host: string): string {
  return isIP(host) ? `${host}.` : host;
}
