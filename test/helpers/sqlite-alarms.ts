import { DatabaseSync } from 'node:sqlite';
import { createSchema } from '../../src/stores/sqlite/store.ts';
import type { StatusRow } from './daemon-world.ts';

/** A database of alarms of our own, for daemons with `driver = sqlite`. */
export interface SqliteAlarms {
  /** The row of that name. */
  row(name: string): StatusRow;
  /** As a program that checks it would: in alarm, for that reason. */
  raise(name: string, notes: string): void;
  /** How many names are in alarm. */
  inAlarm(): number;
  close(): void;
}

/** Makes one with a row for each name, none in alarm; whoever opened it closes it. */
export function openSqliteAlarms(path: string, names: readonly string[]): SqliteAlarms {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000');
  createSchema(database);
  for (const [id, name] of names.entries()) {
    database.prepare('INSERT INTO PROCESE (process_id, process_name) VALUES (?, ?)').run(id, name);
    database.prepare('INSERT INTO STATUS_PROCESS (process_id, alarma, sound) VALUES (?, 0, 0)').run(id);
  }
  const row = database.prepare(
    'SELECT alarma, sound, notes FROM STATUS_PROCESS JOIN PROCESE USING (process_id) WHERE process_name = ?',
  );
  const raise = database.prepare(
    'UPDATE STATUS_PROCESS SET alarma = 1, sound = 0, notes = ? WHERE process_id = (SELECT process_id FROM PROCESE WHERE process_name = ?)',
  );
  const count = database.prepare('SELECT count(*) AS n FROM STATUS_PROCESS WHERE alarma = 1');
  return {
    row: (name) => row.get(name) as unknown as StatusRow,
    raise: (name, notes) => void raise.run(notes, name),
    inAlarm: () => (count.get() as { n: number }).n,
    close: () => database.close(),
  };
}
