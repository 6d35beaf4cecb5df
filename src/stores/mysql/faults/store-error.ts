// Turns an error of mysql2 into a StoreError.
import { errorMessage, StoreError, type StoreFault } from '../../../core/errors.ts';
import { type Circumstances, faultWords, isProtocolFault } from './words.ts';

/** A failed call as mysql2 throws it. */
interface DriverError extends Error {
  readonly code?: string;
  /** The server's error number; a negative errno(3) if the network failed. */
  readonly errno?: number;
  /** Set only if the server itself sent the error. */
  readonly sqlState?: string;
}

/** `error` as a StoreError whose message names the server. A StoreError stays as it is. `database`: see faultWords. */
export function storeError(server: string, error: unknown, circumstances: Circumstances = OPEN, database?: string): StoreError {
  if (error instanceof StoreError) return error;
  const fault = faultOf(error);
  // A refusal after the login is a missing privilege, as the server's own text says.
  const number = serverErrorNumber(error);
  const isLogin = fault === 'denied' && circumstances.stage !== 'open' && number !== undefined && number !== DATABASE_DENIED;
  const refused = isLogin ? ': database login refused' : '';
  return new StoreError(fault, `mysql ${server}${refused}: ${faultWords(error, circumstances, database)}`, error);
}

const OPEN: Circumstances = { stage: 'open', tlsUnused: false };

/** The login succeeded, but this account may not use that database, or the database does not exist. */
const DATABASE_DENIED = 1044;

/** True if the server answered and refused: the connection is as good as before. */
export function isRefusal(error: unknown): boolean {
  return serverErrorNumber(error) !== undefined && !['unreachable', 'not_causal'].includes(faultOf(error));
}

/** True if the server does not know that system variable. */
export function isUnknownVariable(error: unknown, variable: string): boolean {
  return serverErrorNumber(error) === 1193 && errorMessage(error).includes(variable);
}

/** True if a wait ended without success: for a lock or, on a Galera node, for the writes of the others. */
export function isLockWait(error: unknown): boolean {
  return serverErrorNumber(error) === 1205;
}

/** True if nothing runs on the connection: the server refused, or the work itself gave up between two statements. */
export function leavesConnectionFree(error: unknown): boolean {
  return isRefusal(error) || (error instanceof StoreError && error.fault === 'config');
}

/** True if a statement names a column that does not exist. */
export function isUnknownColumn(error: unknown): boolean {
  return serverErrorNumber(error) === 1054;
}

/** True if the server did not accept this text for `notes`: it is too long, not in its character set, or was damaged before. */
export function isRefusalOfNotes(error: unknown): boolean {
  return NOTES_REFUSED.has(serverErrorNumber(error) ?? 0);
}

function faultOf(error: unknown): StoreFault {
  const { code = '', sqlState = '' } = error as DriverError;
  const number = serverErrorNumber(error);
  if (number === undefined) {
    if (code.startsWith('HANDSHAKE_')) return 'failed';
    if (code === 'AUTH_SWITCH_PLUGIN_ERROR') return 'denied';
    return error instanceof TypeError && !isProtocolFault(error) ? 'failed' : 'unreachable';
  }
  for (const [fault, numbers] of FAULTS) if (numbers.has(number)) return fault;
  if (sqlState.startsWith('08')) return 'unreachable';
  if (sqlState.startsWith('28')) return 'denied';
  if (sqlState === '25006') return 'read_only';
  return 'failed';
}

function serverErrorNumber(error: unknown): number | undefined {
  const { errno, sqlState } = error as DriverError;
  return sqlState !== undefined && errno !== undefined && errno > 0 ? errno : undefined;
}

/** Server error numbers by what may be done about them. Source: MySQL 8.0 and MariaDB server error references. */
const FAULTS: readonly (readonly [StoreFault, ReadonlySet<number>])[] = [
  // --read-only, read-only transaction, table, InnoDB, and server mode.
  ['read_only', new Set([1036, 1207, 1290, 1792, 1836, 1874])],
  // Database, host, user, password, table, column, process, expired or locked account, authentication method, no TLS.
  ['denied', new Set([1044, 1045, 1129, 1130, 1142, 1143, 1227, 1251, 1370, 1410, 1524, 1698, 1820, 1862, 3118, 3159, 4151])],
  // No or unknown database, column, table; invalid view.
  ['schema', new Set([1046, 1049, 1051, 1054, 1109, 1146, 1356, 1932])],
  // Connections, memory, disk, locks, interrupted and limited statements, statements to be prepared again.
  [
    'busy',
    new Set([1021, 1037, 1038, 1040, 1041, 1099, 1114, 1203, 1205, 1213, 1226, 1317, 1461, 1615, 1637, 1969, 3024, 3101, 3572]),
  ],
  // Outside of the primary component (Galera); the state or a failed wait of a group's member. The server sends each before it
  // does anything.
  ['not_causal', new Set([1047, 3796, 3797, 3798, 3799])],
  // A commit that failed on its way through the cluster and may have been applied nevertheless; shutdown, killed; and what
  // proxies say about the server behind them.
  [
    'unreachable',
    new Set([1180, 3100, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2006, 2013, 3168, 3169, 4031]),
  ],
];

/** Null, mixed collations, truncated, invalid and unconvertible text, too long. */
const NOTES_REFUSED: ReadonlySet<number> = new Set([1048, 1265, 1267, 1300, 1366, 1406, 1977, 3854, 3988]);
