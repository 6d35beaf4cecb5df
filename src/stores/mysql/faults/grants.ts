/**
 * The GRANT that would mend a refusal for want of a privilege, as it is typed: `said` is what the server said; undefined where it is no
 * such refusal, or does not tell whose privilege is missing. Source: the messages of ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR
 * and ER_COLUMNACCESS_DENIED_ERROR of MySQL and MariaDB; what the daemon needs: setup.sql.
 */
export function grantWords(errno: number, said: string, database: string): string | undefined {
  const account = /'[^'\\]*'@'[^'\\]*'/.exec(said)?.[0];
  if (account === undefined) return undefined;
  const grant = (rights: string, table: string): string =>
    `GRANT ${rights} ON ${identifier(database)}.${identifier(table)} TO ${account}`;
  if (errno === DATABASE_DENIED) {
    const both = `${grant('SELECT', 'PROCESE')}; ${grant(`SELECT, ${CLEARING}`, 'STATUS_PROCESS')}`;
    return `the name of a database that is there, and ${both}`;
  }
  if (errno !== TABLE_DENIED && errno !== COLUMN_DENIED) return undefined;
  const [, right] = /^(SELECT|UPDATE) command denied/.exec(said) ?? [];
  const table = ['STATUS_PROCESS', 'PROCESE'].find((one) => said.includes(one));
  if (right === undefined || table === undefined) return undefined;
  const [, column] = /for column ['`]?(\w+)/.exec(said) ?? [];
  const needed = right === 'SELECT' ? right : column === undefined ? CLEARING : `UPDATE (${column})`;
  // These name the host that the client came from, and not that of the account.
  return `${grant(needed, table)}, or to the host that mysql.user has for it`;
}

const DATABASE_DENIED = 1044;
const TABLE_DENIED = 1142;
const COLUMN_DENIED = 1143;

const CLEARING = 'UPDATE (alarma, notes)';

function identifier(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}
