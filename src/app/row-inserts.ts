import { invisibleIn } from '../core/text/printable.ts';

/**
 * The INSERTs for a name without a row in the named tables, as an operator types them into the database; in parentheses with a
 * blank before. Empty if a host_id or an unusual name needs a different statement.
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
