import { invisibleIn } from '../core/text/printable.ts';

/**
 * What to do about a name without its row in the named tables, in parentheses with a blank before: the INSERT, as it is typed into the
 * database; empty where a host_id or an odd name makes it another one.
 */
export function rowInserts(
  name: string,
  tables: readonly ('PROCESE' | 'STATUS_PROCESS')[],
  hostId: string | undefined,
): string {
  if ((hostId !== undefined && hostId !== 'all') || /[\\\p{Cc}]/u.test(name) || invisibleIn(name) !== undefined) return '';
  const text = `'${name.replaceAll("'", "''")}'`;
  const named = `WHERE process_name = ${text}`;
  const inserts = {
    PROCESE: `INSERT INTO PROCESE (process_id, process_name) SELECT COALESCE(MAX(process_id), 0) + 1, ${text} FROM PROCESE`,
    STATUS_PROCESS: `INSERT INTO STATUS_PROCESS (process_id, alarma, sound) SELECT process_id, 0, 0 FROM PROCESE ${named}`,
  };
  return ` (${tables.map((table) => inserts[table]).join('; ')})`;
}
