// Words an error of mysql2 or of the server for people.
import { errorMessage } from '../../../core/errors.ts';
import { printable } from '../../../core/text/printable.ts';
import { noSocketAt } from '../endpoints.ts';

/** What is known about the connection on which a call failed. */
export interface Circumstances {
  /** How far the connection has come. */
  readonly stage: 'greeting' | 'login' | 'open';
  /** The server offers TLS, and `ssl` is off. */
  readonly tlsUnused: boolean;
}

/** An error as mysql2 throws it. */
interface DriverError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly sqlState?: string;
  readonly syscall?: string;
  readonly fatal?: boolean;
  /** Set if the connection failed: the address, or the path of a socket, which has no port. */
  readonly address?: string;
  readonly port?: number;
}

/**
 * What went wrong, for people, in one line: the server's text in its own words, mysql2's text in ours. `database`: as
 * configured, for a GRANT.
 */
export function faultWords(error: unknown, circumstances: Circumstances, database?: string): string {
  // A name with several addresses, none of which answered.
  if (error instanceof AggregateError) return error.errors.map((one) => faultWords(one, circumstances, database)).join('; ');
  const said = printable(errorMessage(error).slice(0, MOST_CHARACTERS));
  const { code = '', errno = 0, sqlState } = error as DriverError;
  if (sqlState !== undefined) return `${said}${grantHint(errno, said, database) ?? hint(errno, circumstances)}`;
  if (said.startsWith('AuthPluginMoreData')) return 'it continued a login that had not begun';
  if (isProtocolFault(error as DriverError)) return `its answer violates MySQL's protocol (${said})`;
  if (CLOSED.includes(code) && circumstances.stage === 'greeting')
    return `the connection was closed before a greeting arrived (expected a MySQL server)`;
  if (code === 'HANDSHAKE_SSL_ERROR') return `TLS could not be set up: ${said}`;
  return WORDS[code] ?? connectWords(error as DriverError) ?? said;
}

/** Why the connection failed, if the system's word for it would not help who has to repair it. */
function connectWords({ code, syscall, address, port }: DriverError): string | undefined {
  if (syscall !== 'connect' || address === undefined) return undefined;
  const path = printable(address);
  if (port !== undefined) return code === 'ECONNREFUSED' ? `nobody listens on ${path} port ${port}` : undefined;
  if (code === 'ENOENT') return noSocketAt(path);
  return code === 'ECONNREFUSED' ? `nobody listens on the socket ${path} (start the server)` : undefined;
}

/** MySQL's own messages end at 512 bytes. */
const MOST_CHARACTERS = 600;
const CLOSED: readonly string[] = ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE'];

const WORDS: Readonly<Record<string, string>> = {
  PROTOCOL_CONNECTION_LOST: 'the server closed the connection',
  HANDSHAKE_NO_SSL_SUPPORT: 'the server does not support TLS, nothing was sent (enable TLS at the server, or set ssl = off)',
  HANDSHAKE_UNKNOWN_ERROR: "its answer to the login violates MySQL's protocol",
};

function grantHint(errno: number, said: string, database: string | undefined): string | undefined {
  const grants = database === undefined ? undefined : grantWords(errno, said, database);
  return grants && ` (expected ${grants})`;
}

/**
 * The hint for a refusal: of a login, of a connection without TLS (mostly the server does not say so), and of a database that
 * does not exist.
 */
function hint(errno: number, { tlsUnused }: Circumstances): string {
  if (errno === UNKNOWN_DATABASE) return ' (set database to one that exists; setup.sql creates v_process_monitor)';
  if (errno === SECURE_TRANSPORT_REQUIRED) return ' (expected ssl = verify)';
  if (errno !== ACCESS_DENIED) return '';
  return tlsUnused ? ' (check user and password; if the account requires TLS, set ssl = verify)' : ' (check user and password)';
}

const ACCESS_DENIED = 1045;
const UNKNOWN_DATABASE = 1049;
/** --require_secure_transport of MySQL. */
const SECURE_TRANSPORT_REQUIRED = 3159;

/** True for data that could not be read or arrived at the wrong time; mysql2 reports it as a programming error. */
export function isProtocolFault({ name, code = '', syscall, fatal }: Partial<DriverError>): boolean {
  if (syscall !== undefined || fatal !== true) return false;
  return ['TypeError', 'RangeError'].includes(name ?? '') || ['PROTOCOL_ERROR', 'PROTOCOL_UNEXPECTED_PACKET'].includes(code);
}

/**
 * The GRANT that would grant a missing privilege, ready to be typed. `said` is the server's text. Undefined if it is not such a
 * refusal, or if it does not say whose privilege is missing. Source: the messages of ER_DBACCESS_DENIED_ERROR,
 * ER_TABLEACCESS_DENIED_ERROR and ER_COLUMNACCESS_DENIED_ERROR of MySQL and MariaDB; what the daemon needs: setup.sql.
 */
function grantWords(errno: number, said: string, database: string): string | undefined {
  const account = /'[^'\\]*'@'[^'\\]*'/.exec(said)?.[0];
  if (account === undefined) return undefined;
  const grant = (rights: string, table: string): string =>
    `GRANT ${rights} ON ${identifier(database)}.${identifier(table)} TO ${account}`;
  if (errno === DATABASE_DENIED) {
    const both = `${grant('SELECT', 'PROCESE')}; ${grant(`SELECT, ${CLEARING}`, 'STATUS_PROCESS')}`;
    return `the name of a database that exists, and ${both}`;
  }
  if (errno !== TABLE_DENIED && errno !== COLUMN_DENIED) return undefined;
  const [, right] = /^(SELECT|UPDATE) command denied/.exec(said) ?? [];
  const table = ['STATUS_PROCESS', 'PROCESE'].find((one) => said.includes(one));
  if (right === undefined || table === undefined) return undefined;
  const [, column] = /for column ['`]?(\w+)/.exec(said) ?? [];
  const needed = right === 'SELECT' ? right : column === undefined ? CLEARING : `UPDATE (${column})`;
  // These messages name the host that the client came from, and not the host of the account.
  return `${grant(needed, table)}, or to the host that mysql.user has for it`;
}

const DATABASE_DENIED = 1044;
const TABLE_DENIED = 1142;
const COLUMN_DENIED = 1143;

const CLEARING = 'UPDATE (alarma, notes)';

function identifier(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}
