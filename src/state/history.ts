// The history of events in state.db.
import { printable } from '../core/text/printable.ts';
import type { History, HistoryEntry } from './daemon-state.ts';
import type { Database } from './database.ts';
import type { DiskTable, RecordSink } from './disk.ts';

type Row = ReturnType<Database['all']>[number];

/** The history: 10,000 rows on the disk; only rows that are not written yet are in memory. */
export class HistoryTable implements History, DiskTable {
  readonly name = 'history';
  readonly schema = `CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL,
    process_name TEXT NOT NULL, detail TEXT NOT NULL) STRICT; CREATE INDEX IF NOT EXISTS history_by_name ON history (process_name, id)`;
  #sink: RecordSink;
  #waiting: HistoryEntry[] = [];

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  append(entry: HistoryEntry): void {
    if (this.#waiting.length >= MAX_ROWS) this.#waiting.shift();
    const output = entry.output?.slice(-MAX_OUTPUT).map((line) => printable(line.slice(0, MAX_LINE)));
    this.#waiting.push({ ...entry, detail: printable(entry.detail.slice(0, MAX_DETAIL)), ...(output && { output }) });
    this.#sink.write('soon');
  }

  recent(limit: number, processName?: string): HistoryEntry[] {
    const count = Math.max(0, Math.min(Math.trunc(limit), MAX_ROWS));
    const waiting = this.#waiting.filter((entry) => processName === undefined || entry.processName === processName);
    const written = this.#sink.read((database) => {
      const where = processName === undefined ? '' : 'WHERE process_name = ?';
      const names = processName === undefined ? [] : [processName];
      return database.all(`SELECT * FROM history ${where} ORDER BY id DESC LIMIT ?`, ...names, count);
    }, []);
    const entries = written.reverse().map(entryOf);
    return count === 0 ? [] : [...entries, ...waiting].slice(-count);
  }

  replay(take: (entry: HistoryEntry) => void): void {
    this.#sink.read((database) => database.each('SELECT * FROM history ORDER BY id', (row) => take(entryOf(row))), undefined);
    for (const entry of this.#waiting) take(entry);
  }

  load(): number {
    return 0;
  }

  rewrite(): void {
    // Earlier rows stay on the disk; pending rows are written in this very transaction.
  }

  flush(database: Database): void {
    if (this.#waiting.length === 0) return;
    for (const { at, type, processName, detail, output = [] } of this.#waiting) {
      database.run(
        'INSERT INTO history (at, type, process_name, detail) VALUES (?, ?, ?, ?)',
        at.getTime() || 0,
        type,
        processName,
        // An earlier version's file would lack a separate column; a detail has only one line.
        [detail, ...output].join('\n'),
      );
    }
    database.run('DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?', MAX_ROWS);
  }

  committed(): void {
    this.#waiting = [];
  }
}

function entryOf({ at, type, process_name: name, detail }: Row): HistoryEntry {
  const [first = '', ...output] = String(detail).split('\n');
  const entry = { at: new Date(Number(at)), type: String(type), processName: String(name), detail: first };
  return output.length === 0 ? entry : { ...entry, output };
}

const MAX_ROWS = 10_000;
const MAX_DETAIL = 2_000;
const MAX_OUTPUT = 5;
const MAX_LINE = 500;
