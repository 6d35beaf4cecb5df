// Shows an event as a line for people.
import { localTimestamp } from '../../core/clock.ts';
import type { EventLine } from '../../core/process/event-line.ts';
import { counted } from '../../core/text/counted.ts';
import { printable } from '../../core/text/printable.ts';
import { programName } from '../../stream/filter.ts';
import { displayWidth, ellipsize, padTo } from '../terminal/display-width.ts';
import { formatDuration } from '../terminal/duration.ts';
import { paint } from '../terminal/output.ts';
import type { Cell, TableOptions } from '../terminal/table.ts';

/** The names of the columns, as a line. */
export function renderEventHeader(options: TableOptions): string {
  const columns = COLUMNS.map(({ header }): Cell => ({ text: header, style: 'bold' }));
  return layOut(columns, [{ text: 'DETAILS', style: 'bold' }], options);
}

/** An event as a line for people, with local time; printable. On a terminal it is cut to the width. */
export function renderEvent(line: EventLine, options: TableOptions): string {
  const time: Cell = { text: timeOfDay(line.time), style: 'dim' };
  if (line.event === 'lost') {
    const words = `${counted(line.count, 'event', 'events')} did not arrive`;
    return paint(
      'bold',
      layOut([time, { text: 'LOST', style: 'red' }], [{ text: words, style: 'red' }], options),
      options.colour,
    );
  }
  const pid = line.event === 'fork' ? line.parent_pid : line.pid;
  const cells: Cell[] = [
    time,
    { text: line.event, style: line.event === 'exec' ? 'green' : undefined },
    { text: printable(line.user ?? '-') },
    { text: String(pid).padStart(PID_WIDTH) },
    { text: printable(programName(line) ?? '-'), style: 'bold' },
  ];
  const watched: Cell[] = line.monitored === undefined ? [] : [{ text: `[${printable(line.monitored)}] `, style: 'yellow' }];
  return layOut(cells, [...watched, ...details(line)], options);
}

const PID_WIDTH = 7;

/** The columns. On a terminal a field is cut to its column; elsewhere it is shown in full. */
const COLUMNS = [
  { header: 'TIME', width: 12 },
  { header: 'EVENT', width: 8 },
  { header: 'USER', width: 8 },
  { header: 'PID'.padStart(PID_WIDTH), width: PID_WIDTH },
  { header: 'NAME', width: 15 },
] as const;

/** The cells in their columns, then the details one after the other. */
function layOut(cells: readonly Cell[], rest: readonly Cell[], { width, colour }: TableOptions): string {
  let left = width ?? Number.MAX_SAFE_INTEGER;
  let line = '';
  const add = ({ text, style }: Cell, room: number, least: number): void => {
    const cut = ellipsize(text, Math.min(room, left));
    const padded = padTo(cut, Math.min(least, left));
    line += paint(style, cut, colour) + padded.slice(cut.length);
    left -= displayWidth(padded);
  };
  for (const [i, cell] of cells.entries()) {
    const column = COLUMNS[i]?.width ?? 0;
    add(cell, width === undefined ? Number.MAX_SAFE_INTEGER : column, column);
    add(GAP, Number.MAX_SAFE_INTEGER, 0);
  }
  for (const cell of rest) add(cell, Number.MAX_SAFE_INTEGER, 0);
  return line.trimEnd();
}

const GAP: Cell = { text: '  ' };

function details(line: Exclude<EventLine, { event: 'lost' }>): Cell[] {
  switch (line.event) {
    case 'fork':
      return [{ text: `→ child ${line.child_pid}` }];
    case 'exec':
      return [{ text: printable(line.cmdline).trim() }];
    case 'exit':
      return [endingOf(line), ...(line.lifetime_ms === undefined ? [] : [lifetime(line.lifetime_ms)])];
    case 'uid':
    case 'gid':
      return [{ text: `real ${line.real}, effective ${line.effective}` }];
    case 'ptrace':
      return [{ text: line.tracer_pid === 0 ? 'no longer traced' : `traced by ${line.tracer_pid}` }];
    case 'coredump':
      return [{ text: 'dumps core', style: 'red' }];
    case 'sid':
      return [{ text: 'new session' }];
    case 'comm':
      return [{ text: 'new name' }];
    default:
      return line satisfies never;
  }
}

function endingOf(line: Extract<EventLine, { event: 'exit' }>): Cell {
  if (line.signal !== undefined) {
    return { text: `${printable(line.signal)}${line.core_dumped === true ? ' (core dumped)' : ''}`, style: 'red' };
  }
  const status = line.exit_status ?? 0;
  return { text: `exit ${status}`, style: status === 0 ? 'dim' : 'yellow' };
}

function lifetime(ms: number): Cell {
  return { text: ` after ${ms < 999.5 ? `${Math.round(ms)} ms` : formatDuration(ms)}`, style: 'dim' };
}

/** `HH:MM:SS.mmm`; unchanged if it is not a time. */
function timeOfDay(time: string): string {
  const date = new Date(time);
  if (!Number.isFinite(date.getTime())) return printable(time);
  return `${localTimestamp(date).slice(-8)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
