import type { SystemdContainer } from './systemd-container.ts';

/** Runs statements in an SQLite database of a container's, which is made if it is not there; the rows of the last. */
export async function containerSql(
  container: SystemdContainer,
  path: string,
  ...statements: readonly string[]
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const program = `
    const database = new (require('node:sqlite').DatabaseSync)(process.argv[1], { timeout: 10000 });
    let rows = [];
    for (const statement of JSON.parse(process.argv[2])) rows = database.prepare(statement).all();
    console.log(JSON.stringify(rows));
  `;
  // Not from here: SQLite resolves the links of a path, and those of /proc/PID/root lead to our own root.
  return JSON.parse(await container.read([container.node, '--no-warnings', '-e', program, path, JSON.stringify(statements)]));
}

/** Makes a database of alarms there, with a row for each name, none in alarm; ids from 1, in their order. */
export async function makeContainerAlarms(container: SystemdContainer, path: string, names: readonly string[]): Promise<void> {
  await container.read(['mkdir', '-p', '-m', '700', path.slice(0, path.lastIndexOf('/'))]);
  await containerSql(
    container,
    path,
    'CREATE TABLE PROCESE (process_id INTEGER PRIMARY KEY, process_name VARCHAR(255))',
    'CREATE TABLE STATUS_PROCESS (process_id INTEGER PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT)',
    ...names.flatMap((name, index) => [
      `INSERT INTO PROCESE VALUES (${index + 1}, '${name}')`,
      `INSERT INTO STATUS_PROCESS VALUES (${index + 1}, 0, 0, NULL)`,
    ]),
  );
}
