import { ambiguityRemark, unnamedRemark } from '../../alarms-read.ts';
import { textOf } from '../../exact-text.ts';
import { shortNotesRemark } from '../../notes.ts';
import type { StoreReport } from '../../store.ts';
import { isRefusal } from '../faults/store-error.ts';
import type { MysqlSession } from '../session.ts';
import type { Schema } from './known-tables.ts';
import type { Statement } from './statements.ts';
import type { Tables } from './tables.ts';

/** Inspects server, schema and privileges; changes nothing. Throws what the session throws. */
export async function inspectMysql(session: MysqlSession, { tables, statements, remarks }: Schema): Promise<StoreReport> {
  const one = async ({ sql, values }: Statement): Promise<Readonly<Record<string, unknown>>> =>
    (await session.rows(sql, values))[0] ?? {};
  const { version, readOnly } = (await session.query('SELECT VERSION() AS version, @@global.read_only AS readOnly'))[0] ?? {};
  // Does what a poll does, so that whatever is missing for a poll is a fault here too.
  await one(statements.alarms(1));
  const { processes } = await one(statements.processCount());
  const { alarms } = await one(statements.alarmCount());
  const unnamed = await one(statements.unnamed());
  const allRemarks = [...remarks, ...shortNotesRemark(tables.notes)];
  if (!statements.idsAreUnique) {
    const { sql, values } = statements.sharedIds(MOST_SHARED_IDS);
    const shared = (await session.rows(sql, values)).flatMap(({ id }) => (id instanceof Uint8Array ? textOf(id) : []));
    if (shared.length > 0) allRemarks.push(ambiguityRemark(shared));
  }
  if (Number(readOnly) === 1) allRemarks.push('the server is read-only: alarms can be read but not cleared');
  const index = indexRemark(tables);
  if (index !== undefined) allRemarks.push(index);
  allRemarks.push(...unnamedRemark(Number(unnamed.unnamed), Number(unnamed.alarms)));
  return {
    server: productName(String(version)),
    processes: Number(processes),
    alarms: Number(alarms),
    canClear: await mayClear(session, statements.flags(0)),
    notes: tables.notesDescription,
    remarks: allRemarks,
  };
}

const MOST_SHARED_IDS = 1000;

/** A view has no index, and we cannot see the index of the table under it. */
function indexRemark({ isView, statusIndexes, statusHost }: Tables): string | undefined {
  if (isView) return undefined;
  const begins = (...columns: string[]): boolean =>
    statusIndexes.some((index) => columns.every((column, i) => index[i] === column));
  if (statusHost === undefined)
    return begins('alarma')
      ? undefined
      : 'STATUS_PROCESS has no index that begins with alarma: each poll reads the whole table (setup.sql adds one)';
  if (begins('host_id', 'alarma') || begins('alarma', 'host_id')) return undefined;
  const read = begins('alarma') ? 'the alarms of every host' : begins('host_id') ? 'all rows of this host' : 'the whole table';
  return `STATUS_PROCESS has no index that begins with host_id, alarma: each poll reads ${read} (expected: ALTER TABLE STATUS_PROCESS ADD INDEX host_alarms (host_id, alarma, sound, process_id))`;
}

/** EXPLAIN requires the privileges of the statement that it explains, and changes nothing. */
async function mayClear(session: MysqlSession, cleared: string): Promise<boolean | null> {
  try {
    await session.query(`EXPLAIN UPDATE STATUS_PROCESS SET ${cleared}, notes = NULL WHERE 1 = 0`);
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return isPrivilegeError(error) ? false : null;
  }
}

function isPrivilegeError(error: unknown): boolean {
  return [1044, 1142, 1143, 1227].includes((error as { errno?: number }).errno ?? 0);
}

/**
 * The product of a version string: `MariaDB 10.11.14` for `5.5.5-10.11.14-MariaDB-0+deb12u2`, `MySQL 8.0.36` for `8.0.36-28`.
 */
function productName(version: string): string {
  const number = /^(?:5\.5\.5-)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? version;
  return `${/mariadb/i.test(version) ? 'MariaDB' : 'MySQL'} ${number}`;
}
