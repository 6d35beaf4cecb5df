// Session settings that a new connection needs, above all for reads that are causal in a cluster.
import { errorMessage, StoreError } from '../../../core/errors.ts';
import { printable } from '../../../core/text/printable.ts';
import { isRefusal, isUnknownVariable } from '../faults/store-error.ts';
import type { MysqlSession } from '../session.ts';

/**
 * Makes a new connection independent of the server's defaults, usually in one round trip. Without autocommit no clearing would
 * last, and every poll would see the snapshot of the first one. A wait for a lock has to end before our deadline. On a cluster
 * a read has to wait for what other nodes committed before it: Galera and group replication each have a variable for this,
 * which other servers do not know. Returns whether the server accepted such a variable. Throws a StoreError `not_causal` if it
 * refused one that it knows.
 */
export async function prepareSession(session: MysqlSession, server: string, timeoutMs: number): Promise<boolean> {
  const waitS = Math.max(1, Math.floor((timeoutMs * 0.8) / 1000));
  const base = [`autocommit = 1`, `lock_wait_timeout = ${waitS}`, `innodb_lock_wait_timeout = ${waitS}`];
  for (const causal of [...CAUSAL, undefined]) {
    const settings = causal === undefined ? base : [...base, `${causal.variable} = ${causal.value}`];
    try {
      await session.query(`SET SESSION ${settings.join(', ')}`);
      return causal !== undefined;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // The server applies the whole statement or none of it: the one-by-one way finds whatever else it objects to.
      if (causal === undefined || !isUnknownVariable(error, causal.variable)) break;
    }
  }
  return prepareOneByOne(session, server, waitS);
}

/** The variables that make reads causal: of Galera (1: reads), and of MySQL's group replication. */
const CAUSAL = [
  { variable: 'wsrep_sync_wait', value: '1' },
  { variable: 'group_replication_consistency', value: "'BEFORE'" },
] as const;

async function prepareOneByOne(session: MysqlSession, server: string, waitS: number): Promise<boolean> {
  await session.query(`SET SESSION autocommit = 1, lock_wait_timeout = ${waitS}`);
  await session.query(`SET SESSION innodb_lock_wait_timeout = ${waitS}`).catch((error: unknown) => {
    // A server may run without InnoDB.
    if (!isRefusal(error)) throw error;
  });
  let isCausal = false;
  for (const { variable, value } of CAUSAL) {
    try {
      await session.query(`SET SESSION ${variable} = ${value}`);
      isCausal = true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (isUnknownVariable(error, variable)) continue;
      const said = printable(errorMessage(error));
      throw new StoreError('not_causal', `mysql ${server}: its reads cannot be made causal: ${said}`, error);
    }
  }
  return isCausal;
}

/** Waits until the server has applied everything that was committed before anywhere in its cluster. */
export async function catchUp(session: MysqlSession): Promise<void> {
  // A group waits only if the statement reads a table.
  await session.query('SELECT 1 FROM STATUS_PROCESS LIMIT 1');
}

/**
 * True if the server says that it is not part of a Galera cluster. On such a server error 1205 of a read means that somebody
 * has locked the table, and not that the wait for the cluster failed.
 */
export async function isWithoutCluster(session: MysqlSession): Promise<boolean> {
  const rows = await session.query("SHOW SESSION VARIABLES LIKE 'wsrep_on'");
  return String(rows[0]?.Value).toUpperCase() === 'OFF';
}

/** Whether a server accepts writes, asked by a causal read of the table that matters. */
export async function takesWrites(session: MysqlSession): Promise<boolean> {
  const sql = 'SELECT @@global.read_only AS readOnly, EXISTS (SELECT 1 FROM STATUS_PROCESS) AS hasRows';
  const [row] = await session.query(sql);
  return ['0', 'OFF'].includes(String(row?.readOnly).toUpperCase());
}
