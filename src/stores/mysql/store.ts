import type { ProcessRow } from '../../core/alarm.ts';
import { bytesOf, textOf } from '../exact-text.ts';
import { charactersThatFit, type NotesCapacity, READ_CHARACTERS, restartNote } from '../notes.ts';
import type { AlarmStore, StoreReport } from '../store.ts';
import { Cautions } from './cautions.ts';
import { MysqlFailover } from './failover.ts';
import { isRefusalOfNotes } from './faults.ts';
import { describeMysql, type MysqlOptions } from './options.ts';
import { inspectMysql, readNotesCapacity } from './schema.ts';
import type { MysqlSession, SqlValue } from './server.ts';

/** The store of the bash service: STATUS_PROCESS and PROCESE of a MySQL or MariaDB server (seed 000). */
export class MysqlStore implements AlarmStore {
  readonly #options: MysqlOptions;
  readonly #servers: MysqlFailover;
  readonly #cautions: Cautions;
  /** What notes holds, asked once. */
  #capacity: NotesCapacity | undefined;

  /**
   * `idleTimeoutMs`: how long a connection may be idle before it is let go; default a minute. `warn` hears, in one line and once, of
   * what works and may not for long.
   */
  constructor(options: MysqlOptions, idleTimeoutMs: number = IDLE_TIMEOUT_MS, warn: (text: string) => void = () => {}) {
    this.#options = options;
    this.#cautions = new Cautions(warn);
    this.#servers = new MysqlFailover(options, idleTimeoutMs, (text) => this.#cautions.add(text));
  }

  get description(): string {
    return describeMysql(this.#options, this.#servers.serverName);
  }

  readAlarms(): Promise<ProcessRow[]> {
    return this.#read(`${SELECT} WHERE s.alarma = 1 AND s.sound = 0 ORDER BY s.process_id`);
  }

  async readProcess(processId: number): Promise<ProcessRow | undefined> {
    return (await this.#read(`${SELECT} WHERE s.process_id = ?`, [processId]))[0];
  }

  findProcesses(processName: string): Promise<ProcessRow[]> {
    return this.#read(`${SELECT} WHERE ${exact('p.process_name')} = ? ORDER BY s.process_id`, [bytesOf(processName)]);
  }

  listProcesses(): Promise<ProcessRow[]> {
    return this.#read(`${SELECT} ORDER BY s.process_id`);
  }

  async clearAlarm(seen: ProcessRow, restartedAt: Date): Promise<'cleared' | 'changed'> {
    const note = restartNote(restartedAt);
    const exactly = (text: string | null): Buffer | null => (text === null ? null : bytesOf(text));
    const asSeen: SqlValue[] = [seen.processId, exactly(seen.notes), exactly(seen.notesDigest)];
    const changed = await this.#servers.write(async (session) => {
      const kept = await charactersKept(session, seen, note, await this.#notesCapacity(session));
      try {
        return await session.change(CLEAR_WITH_NOTE, [note, kept, ...asSeen]);
      } catch (error) {
        if (!isRefusalOfNotes(error)) throw error;
        // The alarm has to end even where the note cannot be left: the column was altered, or its text is damaged.
        this.#capacity = undefined;
        return await clearLeniently(session, asSeen);
      }
    });
    return changed > 0 ? 'cleared' : 'changed';
  }

  raiseAlarm(processId: number, notes: string | undefined): Promise<'raised' | 'missing'> {
    return this.#servers.write(async (session) => {
      // Without touching `sound` first: the least-privilege user may not, and mostly it is 0 already.
      if ((await this.#set(session, 'alarma = 1', processId, notes, 'AND sound = 0')) > 0) return 'raised';
      const [row] = await session.rows(`SELECT alarma = 1 AND sound = 0 AS raised ${ONE_STATUS}`, [processId]);
      if (row === undefined) return 'missing';
      if (row.raised !== 1) await this.#set(session, 'alarma = 1, sound = 0', processId, notes);
      return 'raised';
    });
  }

  dropAlarm(processId: number, notes: string | undefined): Promise<'dropped' | 'missing'> {
    return this.#servers.write(async (session) => {
      if ((await this.#set(session, 'alarma = 0', processId, notes)) > 0) return 'dropped';
      // Only changed rows are counted.
      const [row] = await session.rows(`SELECT 1 ${ONE_STATUS}`, [processId]);
      return row === undefined ? 'missing' : 'dropped';
    });
  }

  async inspect(): Promise<StoreReport> {
    const report = await this.#servers.read(inspectMysql);
    return { ...report, remarks: [...report.remarks, ...this.#cautions.texts] };
  }

  close(): Promise<void> {
    return this.#servers.close();
  }

  #read(sql: string, values: readonly SqlValue[] = []): Promise<ProcessRow[]> {
    return this.#servers.read(async (session) => (await session.rows(sql, values)).map(processRow));
  }

  async #set(session: MysqlSession, change: string, processId: number, notes: string | undefined, where = ''): Promise<number> {
    if (notes === undefined)
      return session.change(`UPDATE STATUS_PROCESS SET ${change} WHERE process_id = ? ${where}`, [processId]);
    const capacity = await this.#notesCapacity(session);
    const text = await textFor(session, notes, capacity.charset);
    const kept = charactersThatFit(text, capacity, 'left');
    const sql = `UPDATE STATUS_PROCESS SET ${change}, notes = LEFT(?, ?) WHERE process_id = ? ${where}`;
    return session.change(sql, [text, kept, processId]);
  }

  async #notesCapacity(session: MysqlSession): Promise<NotesCapacity> {
    this.#capacity ??= await readNotesCapacity(session);
    return this.#capacity;
  }
}

const IDLE_TIMEOUT_MS = 60_000;

/** The bytes of a text in UTF-8, whatever the column's character set: read so and compared so, what is equal is the very same. */
const exact = (column: string): string => `CAST(CONVERT(${column} USING utf8mb4) AS BINARY)`;

/**
 * What a row shows of its notes, and what a clearing compares of them. The digest is made of long notes only, and by the server:
 * however many rows are in alarm, no whole text of theirs travels.
 */
const head = (notes: string): string => `CAST(LEFT(CONVERT(${notes} USING utf8mb4), ${READ_CHARACTERS}) AS BINARY)`;
const digest = (notes: string): string =>
  `IF(CHAR_LENGTH(CONVERT(${notes} USING utf8mb4)) > ${READ_CHARACTERS}, CAST(SHA2(${exact(notes)}, 256) AS BINARY), NULL)`;

/** `alarma = 1` and `sound = 0` are the server's to judge: NULL is neither, and a row in doubt is left alone. */
const SELECT = `SELECT s.process_id, ${exact('p.process_name')} AS process_name, s.alarma = 1 AS alarma, s.sound = 0 AS silent,
  ${head('s.notes')} AS notes, ${digest('s.notes')} AS notesDigest FROM STATUS_PROCESS s JOIN PROCESE p ON p.process_id = s.process_id`;

const ONE_STATUS = 'FROM STATUS_PROCESS WHERE process_id = ?';

const AS_SEEN = `WHERE process_id = ? AND alarma = 1 AND sound = 0 AND ${head('notes')} <=> ? AND ${digest('notes')} <=> ?`;
/** CONCAT_WS, since CONCAT of NULL is NULL; notes first, since MySQL assigns from left to right. */
const CLEAR_WITH_NOTE = `UPDATE STATUS_PROCESS SET notes = RIGHT(CONCAT_WS('', notes, ?), ?), alarma = 0 ${AS_SEEN}`;
const CLEAR = `UPDATE STATUS_PROCESS SET alarma = 0 ${AS_SEEN}`;

/** How many characters of notes and note the column holds, for SQL's RIGHT. */
async function charactersKept(session: MysqlSession, seen: ProcessRow, note: string, capacity: NotesCapacity): Promise<number> {
  if (seen.notesDigest === null) return charactersThatFit(`${seen.notes ?? ''}${note}`, capacity, 'right');
  // Of long notes only the beginning was read. The rest is not needed either, unless something has to go.
  const room = Math.min(capacity.limit, ALL) - note.length * capacity.maxBytes;
  const [row] = await session.rows(`SELECT ${exact('notes')} AS notes ${ONE_STATUS} AND LENGTH(notes) > ?`, [
    seen.processId,
    room,
  ]);
  return row?.notes instanceof Uint8Array ? charactersThatFit(`${textOf(row.notes)}${note}`, capacity, 'right') : ALL;
}

/** More than any column holds, and no more than RIGHT takes. */
const ALL = 2 ** 31 - 1;

/** `text` with a `?` for each letter that the character set lacks: strict mode would refuse the alarm because of one. */
async function textFor(session: MysqlSession, text: string, charset: string): Promise<string> {
  if (!/^\w+$/.test(charset) || charset === 'utf8mb4') return text;
  // Strict only in what it writes.
  const [row] = await session.rows(`SELECT ${exact(`CONVERT(? USING ${charset})`)} AS text`, [text]);
  return row?.text instanceof Uint8Array ? textOf(row.text) : text;
}

/** Clears without a note. Strict mode would refuse even to compare a damaged text. */
async function clearLeniently(session: MysqlSession, asSeen: readonly SqlValue[]): Promise<number> {
  await session.rows("SET SESSION sql_mode = ''");
  const changed = await session.change(CLEAR, asSeen);
  await session.rows('SET SESSION sql_mode = DEFAULT');
  return changed;
}

function processRow(row: Readonly<Record<string, unknown>>): ProcessRow {
  const text = (value: unknown): string | null => (value instanceof Uint8Array ? textOf(value) : null);
  return {
    processId: Number(row.process_id),
    processName: text(row.process_name),
    alarma: row.alarma === 1,
    sound: row.silent !== 1,
    notes: text(row.notes),
    notesDigest: text(row.notesDigest),
  };
}
