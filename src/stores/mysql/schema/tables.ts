// Reads the structure of the tables of a MySQL server.
import type { NotesCapacity } from '../../notes.ts';
import { UNLIMITED } from '../../notes.ts';
import type { MysqlSession } from '../session.ts';
import { type Column, columnOf, UNKNOWN_COLUMN } from './column.ts';

/** The structure of both tables. */
export interface Tables {
  /** The columns of STATUS_PROCESS. */
  readonly status: { readonly processId: Column; readonly alarma: Column; readonly sound: Column };
  /** The columns of PROCESE. */
  readonly process: { readonly processId: Column; readonly processName: Column };
  /** `host_id` of STATUS_PROCESS, and of PROCESE; undefined if there is none. */
  readonly statusHost: Column | undefined;
  readonly processHost: Column | undefined;
  /** The capacity of `notes`, and the same for people. */
  readonly notes: NotesCapacity;
  readonly notesDescription: string;
  /**
   * True if a unique key guarantees that no two rows of either table have the same process_id; `perHost`: no two rows of one
   * host.
   */
  readonly uniqueIds: boolean;
  readonly uniqueIdsPerHost: boolean;
  /** The columns of each index of STATUS_PROCESS, in order, lower case. */
  readonly statusIndexes: readonly (readonly string[])[];
  /** True if STATUS_PROCESS is a view, which has no index of its own. */
  readonly isView: boolean;
}

/** Reads the structure from information_schema. What it does not say is unknown. Throws what the session throws. */
export async function readTables(session: MysqlSession): Promise<Tables> {
  const columns = (await session.query(COLUMNS)).map((row) => ({
    table: lower(row.table),
    name: lower(row.name),
    row,
    column: columnOf(row),
  }));
  const keys = await session.query(KEYS);
  const [kind] = await session.query(KIND);
  const find = (table: string, name: string): Column | undefined =>
    columns.find((known) => known.table === table && known.name === name)?.column;
  const known = (table: string, name: string): Column => find(table, name) ?? UNKNOWN_COLUMN;
  const notes = columns.find(({ table, name }) => table === STATUS && name === 'notes')?.row;
  const unique = (among: readonly string[]): boolean => [STATUS, PROCESS].every((table) => isUnique(keys, table, among));
  return {
    status: { processId: known(STATUS, 'process_id'), alarma: known(STATUS, 'alarma'), sound: known(STATUS, 'sound') },
    process: { processId: known(PROCESS, 'process_id'), processName: known(PROCESS, 'process_name') },
    statusHost: find(STATUS, 'host_id'),
    processHost: find(PROCESS, 'host_id'),
    ...notesOf(notes),
    uniqueIds: unique(['process_id']),
    uniqueIdsPerHost: unique(['process_id', 'host_id']),
    statusIndexes: indexesOf(keys, STATUS).map(({ columns: indexed }) => indexed),
    isView: lower(kind?.kind) === 'view',
  };
}

const STATUS = 'status_process';
const PROCESS = 'procese';

const COLUMNS = `SELECT c.TABLE_NAME AS \`table\`, c.COLUMN_NAME AS name, c.DATA_TYPE AS dataType, c.COLUMN_TYPE AS type,
    c.NUMERIC_PRECISION AS digits, c.NUMERIC_SCALE AS decimals, c.CHARACTER_MAXIMUM_LENGTH AS characters,
    c.CHARACTER_OCTET_LENGTH AS bytes, c.CHARACTER_SET_NAME AS charset, c.COLLATION_NAME AS collation, s.MAXLEN AS maxBytes
  FROM information_schema.COLUMNS c LEFT JOIN information_schema.CHARACTER_SETS s ON s.CHARACTER_SET_NAME = c.CHARACTER_SET_NAME
  WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME IN ('STATUS_PROCESS', 'PROCESE')
    AND c.COLUMN_NAME IN ('process_id', 'process_name', 'alarma', 'sound', 'notes', 'host_id')`;

const KEYS = `SELECT TABLE_NAME AS \`table\`, INDEX_NAME AS name, COLUMN_NAME AS \`column\`, NON_UNIQUE AS shared
  FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('STATUS_PROCESS', 'PROCESE')
  ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX LIMIT 1000`;

const KIND = `SELECT TABLE_TYPE AS kind FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'STATUS_PROCESS'`;

type InfoRow = Readonly<Record<string, unknown>>;

function lower(value: unknown): string {
  return String(value ?? '').toLowerCase();
}

interface Index {
  readonly unique: boolean;
  readonly columns: string[];
}

function indexesOf(keys: readonly InfoRow[], wanted: string): Index[] {
  const indexes = new Map<string, Index>();
  for (const { table, name, column, shared } of keys) {
    if (lower(table) !== wanted) continue;
    const index = indexes.get(String(name)) ?? { unique: Number(shared) === 0, columns: [] };
    index.columns.push(lower(column));
    indexes.set(String(name), index);
  }
  return [...indexes.values()];
}

/** True if a unique index has process_id and no column other than `among`. */
function isUnique(keys: readonly InfoRow[], table: string, among: readonly string[]): boolean {
  return indexesOf(keys, table).some(
    ({ unique, columns }) => unique && columns.includes('process_id') && columns.every((column) => among.includes(column)),
  );
}

function notesOf(row: InfoRow | undefined): Pick<Tables, 'notes' | 'notesDescription'> {
  const type = String(row?.type ?? '').toUpperCase();
  if (row === undefined || row.bytes === null) return { notesDescription: type || 'unknown', notes: UNLIMITED };
  const unit = /^(?:VAR)?CHAR\b/.test(type) ? 'characters' : 'bytes';
  const limit = Number(unit === 'characters' ? row.characters : row.bytes);
  const charset = lower(row.charset);
  return {
    notesDescription: [`${type}, ${limit} ${unit}`, charset].filter(Boolean).join(', '),
    notes: { unit, limit, charset, maxBytes: Number(row.maxBytes ?? 1) },
  };
}
