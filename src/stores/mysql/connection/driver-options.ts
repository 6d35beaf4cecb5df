import { isIP } from 'node:net';
import type { MysqlEndpoint } from '../endpoints.ts';
import { channelOf } from '../login/channel.ts';
import { loginPlugins } from '../login/plugins.ts';
import type { MysqlOptions } from '../options.ts';

/** How a pool is to be, beside what the file says. */
interface PoolHabits {
  /** Statements that stay prepared on each. */
  readonly statements: number;
  /** See loginPlugins. */
  readonly caution: (text: string) => void;
}

/** What mysql2's pool is told, but for `stream`: who opens its sockets. */
export function driverOptions(endpoint: MysqlEndpoint, options: MysqlOptions, habits: PoolHabits) {
  const { user, password, database, compress, serverPublicKey } = options;
  const login = { user, password, publicKey: serverPublicKey };
  return {
    user,
    password,
    database,
    compress,
    authPlugins: loginPlugins(login, (stream) => channelOf(stream, endpoint, options), habits.caution),
    // Ours knows what it waited for.
    connectTimeout: 0,
    // No limit: ours stands before the pool (MysqlLane). The pool counts a connection that was given up until its socket has closed, and
    // would hold up the next one for that. Nor does it look for idle connections each second: see IdleConnections.
    connectionLimit: 0,
    maxPreparedStatements: habits.statements,
    gracefulEnd: true,
    charset: 'utf8mb4',
    supportBigNumbers: true,
    disableEval: true,
    stringifyObjects: true,
    multipleStatements: false,
    // Without FOUND_ROWS the server counts changed rows; without LOCAL_FILES it cannot ask for ours.
    flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
    ...tlsOptions(endpoint, options),
  };
}

/** What mysql2 is told of encryption: nothing with `ssl = off`, and then it uses none. */
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

/** The options of `ssl` for a server at `endpoint`; of one behind a Unix socket the certificate is checked, and no name: it has none. */
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
 * mysql2 keeps an IP address from the check of the name, which would then accept a certificate for "localhost". With a closing dot
 * it does not, and the check takes the dot off again (tls.checkServerIdentity).
 */
function provenName(host: string): string {
  return isIP(host) ? `${host}.` : host;
}
