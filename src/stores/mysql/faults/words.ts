import { errorMessage } from '../../../core/errors.ts';
import { printable } from '../../../core/printable.ts';
import { noSocketAt } from '../endpoints.ts';
import { grantWords } from './grants.ts';

/** What is known of the connection on which a call failed. */
export interface Circumstances {
  /** How far it has come. */
  readonly stage: 'greeting' | 'login' | 'open';
  /** The server has said that it speaks TLS, and `ssl` is off. */
  readonly tlsUnused: boolean;
}

/** An error as mysql2 throws it. */
interface DriverError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly sqlState?: string;
  readonly syscall?: string;
  readonly fatal?: boolean;
  /** Of a connection that did not come about: the address, or the path of a socket, for which there is no port. */
  readonly address?: string;
  readonly port?: number;
}

/**
 * What went wrong, for people, in one line: what the server said, in its words; what mysql2 would say, in ours. `database`: as it is
 * configured; for a GRANT.
 */
export function faultWords(error: unknown, circumstances: Circumstances, database?: string): string {
  // A name with several addresses, of which none answered.
  if (error instanceof AggregateError) return error.errors.map((one) => faultWords(one, circumstances, database)).join('; ');
  const said = printable(errorMessage(error).slice(0, MOST_CHARACTERS));
  const { code = '', errno = 0, sqlState } = error as DriverError;
  if (sqlState !== undefined) return `${said}${grantHint(errno, said, database) ?? hint(errno, circumstances)}`;
  if (said.startsWith('AuthPluginMoreData')) return 'it asks for more of a login that has not begun';
  if (isProtocolFault(error as DriverError)) return `what it says is not as MySQL's protocol has it (${said})`;
  if (CLOSED.includes(code) && circumstances.stage === 'greeting')
    return `the connection was closed before a greeting came (expected a MySQL server)`;
  if (code === 'HANDSHAKE_SSL_ERROR') return `TLS could not be set up: ${said}`;
  return WORDS[code] ?? connectWords(error as DriverError) ?? said;
}

/** Why no connection came about, if the system's word for it says nothing to who has to mend it. */
function connectWords({ code, syscall, address, port }: DriverError): string | undefined {
  if (syscall !== 'connect' || address === undefined) return undefined;
  const path = printable(address);
  if (port !== undefined) return code === 'ECONNREFUSED' ? `nobody listens on ${path} port ${port}` : undefined;
  if (code === 'ENOENT') return noSocketAt(path);
  return code === 'ECONNREFUSED' ? `nobody listens on the socket ${path} (expected the server to run)` : undefined;
}

/** MySQL's own messages end at 512 bytes. */
const MOST_CHARACTERS = 600;
const CLOSED: readonly string[] = ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE'];

const WORDS: Readonly<Record<string, string>> = {
  PROTOCOL_CONNECTION_LOST: 'the server closed the connection',
  HANDSHAKE_NO_SSL_SUPPORT:
    'the server does not support secure connections, and nothing was sent (expected TLS at the server, or ssl = off)',
  HANDSHAKE_UNKNOWN_ERROR: 'what it answers to the login is not as MySQL does',
};

function grantHint(errno: number, said: string, database: string | undefined): string | undefined {
  const grants = database === undefined ? undefined : grantWords(errno, said, database);
  return grants && ` (expected ${grants})`;
}

/** What a server refuses where it wants TLS, mostly without saying so; and a database that is not there. */
function hint(errno: number, { tlsUnused }: Circumstances): string {
  if (errno === UNKNOWN_DATABASE)
    return ' (expected the name of one that is there in database; setup.sql makes v_process_monitor)';
  if (errno === SECURE_TRANSPORT_REQUIRED) return ' (expected ssl = verify)';
  return errno === ACCESS_DENIED && tlsUnused ? ' (if the account is to REQUIRE SSL: ssl = verify)' : '';
}

const ACCESS_DENIED = 1045;
const UNKNOWN_DATABASE = 1049;
/** --require_secure_transport of MySQL. */
const SECURE_TRANSPORT_REQUIRED = 3159;

/** Something that could not be read, or came at the wrong time: mysql2 says so as programs do. */
export function isProtocolFault({ name, code = '', syscall, fatal }: Partial<DriverError>): boolean {
  if (syscall !== undefined || fatal !== true) return false;
  return ['TypeError', 'RangeError'].includes(name ?? '') || ['PROTOCOL_ERROR', 'PROTOCOL_UNEXPECTED_PACKET'].includes(code);
}
