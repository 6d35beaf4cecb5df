import { type NotesCapacity, UNLIMITED } from '../notes.ts';
import type { StoreReport } from '../store.ts';
import { isRefusal } from './faults.ts';
import type { MysqlSession } from './session.ts';

/** What STATUS_PROCESS.notes holds, from information_schema; UNLIMITED where that says nothing. */
export async function readNotesCapacity(session: MysqlSession): Promise<NotesCapacity> {
  return (await readNotesColumn(session)).capacity;
}

/** Looks at server, schema and privileges; changes nothing. Throws what the session throws. */
export async function inspectMysql(session: MysqlSession): Promise<StoreReport> {
  const one = async (sql: string): Promise<Readonly<Record<string, unknown>>> => (await session.rows(sql))[0] ?? {};
  const { version, readOnly } = await one('SELECT VERSION() AS version, @@global.read_only AS readOnly');
  const { processes, alarms } = await one(
    'SELECT COUNT(*) AS processes, COALESCE(SUM(s.alarma = 1 AND s.sound = 0), 0) AS alarms FROM STATUS_PROCESS s JOIN PROCESE p ON p.process_id = s.process_id',
  );
  const { unnamed } = await one(
    "SELECT COUNT(*) AS unnamed FROM STATUS_PROCESS s LEFT JOIN PROCESE p ON p.process_id = s.process_id WHERE COALESCE(p.process_name, '') = ''",
  );
  const remarks: string[] = [];
  if (Number(readOnly) === 1) remarks.push('the server is read-only: alarms can be read there, and not cleared');
  if (!(await hasPollIndex(session)))
    remarks.push('STATUS_PROCESS has no index that begins with alarma: each poll reads the whole table (setup.sql adds one)');
  if (Number(unnamed) > 0)
    remarks.push(`rows of STATUS_PROCESS without a name in PROCESE: ${Number(unnamed)}; they are never healed`);
  return {
    server: productName(String(version)),
    processes: Number(processes),
    alarms: Number(alarms),
    canClear: await mayClear(session),
    notes: (await readNotesColumn(session)).description,
    remarks,
  };
}

async function readNotesColumn(session: MysqlSession): Promise<{ description: string; capacity: NotesCapacity }> {
  const [column] = await session.rows(
    `SELECT c.COLUMN_TYPE AS type, c.CHARACTER_MAXIMUM_LENGTH AS characters, c.CHARACTER_OCTET_LENGTH AS bytes,
       c.CHARACTER_SET_NAME AS charset, s.MAXLEN AS maxBytes
     FROM information_schema.COLUMNS c LEFT JOIN information_schema.CHARACTER_SETS s ON s.CHARACTER_SET_NAME = c.CHARACTER_SET_NAME
     WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME = 'STATUS_PROCESS' AND c.COLUMN_NAME = 'notes'`,
  );
  const type = String(column?.type ?? '').toUpperCase();
  if (column === undefined || column.bytes === null) return { description: type || 'unknown', capacity: UNLIMITED };
  const unit = /^(?:VAR)?CHAR\b/.test(type) ? 'characters' : 'bytes';
  const limit = Number(unit === 'characters' ? column.characters : column.bytes);
  const charset = String(column.charset ?? '').toLowerCase();
  return {
    description: [`${type}, ${limit} ${unit}`, charset].filter(Boolean).join(', '),
    capacity: { unit, limit, charset, maxBytes: Number(column.maxBytes ?? 1) },
  };
}

async function hasPollIndex(session: MysqlSession): Promise<boolean> {
  const [found] = await session.rows(
    `SELECT 1 FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'STATUS_PROCESS' AND SEQ_IN_INDEX = 1 AND COLUMN_NAME = 'alarma' LIMIT 1`,
  );
  return found !== undefined;
}

/** EXPLAIN asks for the privileges of what it explains, and does nothing. */
async function mayClear(session: MysqlSession): Promise<boolean | null> {
  try {
    await session.rows('EXPLAIN UPDATE STATUS_PROCESS SET alarma = 0, notes = NULL WHERE process_id = -1');
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return isPrivilegeError(error) ? false : null;
  }
}

function isPrivilegeError(error: unknown): boolean {
  return [1044, 1142, 1143, 1227].includes((error as { errno?: number }).errno ?? 0);
}

/** `MariaDB 10.11.14` of `5.5.5-10.11.14-MariaDB-0+deb12u2`, `MySQL 8.0.36` of `8.0.36-28`. */
function productName(version: string): string {
  const number = /^(?:5\.5\.5-)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? version;
  return `${/mariadb/i.test(version) ? 'MariaDB' : 'MySQL'} ${number}`;
}
