// The incidents in history.db.
import type { IncidentEnd, IncidentSign } from '../core/events.ts';
import { check, date, fields, listOf, nullable, oneOf, type Shape, such, text } from '../core/shape.ts';
import type { IncidentRecord, IncidentRecords } from './daemon-state.ts';
import type { Database } from './database.ts';
import type { DiskTable, RecordSink } from './disk.ts';
import { count } from './records/fields.ts';

/** The incidents: all are on the disk, and only those that are not written yet are in memory. */
export class IncidentTable implements IncidentRecords, DiskTable {
  readonly name = 'incidents';
  readonly schema =
    `CREATE TABLE IF NOT EXISTS incidents (id INTEGER PRIMARY KEY, name TEXT NOT NULL, opened_at INTEGER NOT NULL,
    closed_at INTEGER, joined INTEGER, value TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS incidents_joined ON incidents (joined) WHERE joined IS NOT NULL;
    CREATE INDEX IF NOT EXISTS incidents_open ON incidents (id) WHERE closed_at IS NULL`;
  readonly #sink: RecordSink;
  #waiting = new Map<number, IncidentRecord>();

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  unfinished(): ReturnType<IncidentRecords['unfinished']> {
    if (this.#waiting.size > 0) this.#sink.write('written');
    return this.#sink.read<ReturnType<IncidentRecords['unfinished']>>(
      (database) => ({
        open: database
          .all('SELECT value FROM incidents WHERE closed_at IS NULL ORDER BY id')
          .flatMap(({ value }) => parse(value)),
        lastId: Number(database.all('SELECT max(id) AS last FROM incidents')[0]?.last ?? 0),
      }),
      { open: [], lastId: undefined },
    );
  }

  get(id: number): IncidentRecord | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) return waiting;
    const rows = this.#sink.read((database) => database.all('SELECT value FROM incidents WHERE id = ?', id), []);
    return rows.flatMap(({ value }) => parse(value))[0];
  }

  latest(closed: number): readonly IncidentRecord[] {
    if (this.#waiting.size > 0) this.#sink.write('written');
    const newest = (is: string): string => `SELECT value FROM incidents WHERE closed_at IS ${is} ORDER BY id DESC LIMIT ?`;
    const written = this.#sink.read(
      (database) => [...database.all(newest('NULL'), MOST_OPEN), ...database.all(newest('NOT NULL'), closed)],
      [],
    );
    const all = new Map(written.flatMap(({ value }) => parse(value)).map((each) => [each.id, each]));
    // What the disk does not take is in memory.
    for (const each of this.#waiting.values()) all.set(each.id, each);
    return [...all.values()].sort((a, b) => a.id - b.id);
  }

  joinedTo(id: number): readonly number[] {
    const waiting = [...this.#waiting.values()].flatMap((each) => (each.closed?.joined === id ? [each.id] : []));
    const sql = 'SELECT id FROM incidents WHERE joined = ? ORDER BY id DESC LIMIT ?';
    const rows = this.#sink.read((database) => database.all(sql, id, MOST_JOINED), []);
    return [...new Set([...rows.map((row) => Number(row.id)), ...waiting])].slice(0, MOST_JOINED);
  }

  set(incident: IncidentRecord): void {
    this.#waiting.set(incident.id, incident);
    this.#sink.write('soon');
  }

  load(): number {
    return 0;
  }

  rewrite(): void {
    // Earlier rows stay on the disk; pending rows are written in this very transaction.
  }

  flush(database: Database): void {
    for (const incident of this.#waiting.values()) {
      const { id, name, openedAt, closed } = incident;
      database.run(
        'INSERT OR REPLACE INTO incidents (id, name, opened_at, closed_at, joined, value) VALUES (?, ?, ?, ?, ?, ?)',
        id,
        name,
        openedAt.getTime(),
        closed?.at.getTime() ?? null,
        closed?.joined ?? null,
        JSON.stringify(incident),
      );
    }
  }

  committed(): void {
    this.#waiting.clear();
  }
}

const MOST_JOINED = 100;
const MOST_OPEN = 1_000;

/** [] for a row that is not valid. */
function parse(value: unknown): IncidentRecord[] {
  try {
    const checked = check(incidentRecord, JSON.parse(String(value)));
    return checked.kind === 'fits' ? [checked.value] : [];
  } catch {
    return [];
  }
}

const sign = such(text, 'a sign of trouble', (value) =>
  /^(exit|operator|outside|check .+)$/.test(value),
) as Shape<IncidentSign>;
const end: Shape<IncidentEnd> = oneOf('cleared', 'over', 'runs', 'ok', 'unwatched', 'joined');

const incidentRecord = fields<IncidentRecord>({
  id: count,
  name: text,
  by: sign,
  openedAt: date,
  signs: listOf(text),
  names: listOf(text),
  closed: nullable(fields<NonNullable<IncidentRecord['closed']>>({ at: date, how: end, joined: nullable(count) })),
});
