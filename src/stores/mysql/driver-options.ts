import type { MysqlEndpoint } from './hosts.ts';
import { channelOf } from './login/channel.ts';
import { loginPlugins } from './login/login-plugins.ts';
import type { MysqlOptions } from './options.ts';
import { tlsOptions } from './tls.ts';

/** How a pool is to be, beside what the file says. */
export interface PoolHabits {
  /** Connections at once. */
  readonly limit: number;
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
    connectionLimit: habits.limit,
    // As many as there may be: then mysql2 looks for idle ones never, and not each second. We do, see IdleConnections.
    maxIdle: habits.limit,
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
