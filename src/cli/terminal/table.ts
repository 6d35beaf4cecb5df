import { displayWidth, padTo } from './display-width.ts';
import { paint, type Style } from './output.ts';
import { wrap } from './wrap.ts';

/** One field of a table; its text is printable. */
export interface Cell {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** How a table is drawn. */
export interface TableOptions {
  /** Columns of the terminal; undefined: not a terminal, so no line is broken. */
  readonly width: number | undefined;
  readonly colour: boolean;
}

/** The least columns to assume: a narrower terminal breaks the lines itself. */
export const leastWidth = 20;

/** Aligned lines, the header first; see `tableBlocks`. */
export function renderTable(header: readonly string[], rows: readonly (readonly Cell[])[], options: TableOptions): string[] {
  return tableBlocks(header, rows, options).flat();
}

/**
 * The lines of the header, then those of each row, aligned. On a terminal no line is longer than its width, and nothing is cut
 * off: a first field that is longer than its column has its own line above the others; if the others leave it no room, each
 * row, and the header, takes several lines.
 */
export function tableBlocks(header: readonly string[], rows: readonly (readonly Cell[])[], options: TableOptions): string[][] {
  const all: readonly (readonly Cell[])[] = [header.map((text): Cell => ({ text, style: 'bold' })), ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => displayWidth(row[i]?.text ?? ''))));
  const width = options.width === undefined ? undefined : Math.max(leastWidth, options.width);
  const [widestFirst = 0, ...others] = widths;
  const room = width === undefined ? WIDEST_FIRST : width - others.reduce((sum, other) => sum + GAP + other, 0);
  if (width !== undefined && room < Math.min(widestFirst, LEAST_FIRST))
    return all.map((row) => stacked(row, others, width, options.colour));
  const fitting = all.map((row) => displayWidth(row[0]?.text ?? '')).filter((first) => first <= Math.min(room, WIDEST_FIRST));
  const first = Math.max(...fitting, 0);
  return all.map((row) => aligned(row, [first, ...others], width, options.colour));
}

/** The row in one line, except for a first field that does not fit its column. */
function aligned(row: readonly Cell[], widths: readonly number[], width: number | undefined, colour: boolean): string[] {
  const [first] = row;
  if (first === undefined || width === undefined || displayWidth(first.text) <= (widths[0] ?? 0))
    return [joined(row, widths, colour)];
  return [...wrapped(first, width, 0, colour), joined([{ text: '' }, ...row.slice(1)], widths, colour)];
}

/** The first field alone, then the others below it, as many on a line as there is room for. */
function stacked([first, ...others]: readonly Cell[], widths: readonly number[], width: number, colour: boolean): string[] {
  const lines = first === undefined ? [] : wrapped(first, width, 0, colour);
  let from = 0;
  while (from < others.length) {
    let to = from + 1;
    let used = INDENT + (widths[from] ?? 0);
    while (to < others.length && used + GAP + (widths[to] ?? 0) <= width) used += GAP + (widths[to++] ?? 0);
    const [cell] = others.slice(from, to);
    if (to === from + 1 && cell !== undefined) lines.push(...(cell.text === '' ? [] : wrapped(cell, width, INDENT, colour)));
    else lines.push(`${' '.repeat(INDENT)}${joined(others.slice(from, to), widths.slice(from, to), colour)}`.trimEnd());
    from = to;
  }
  return lines;
}

function wrapped({ text, style }: Cell, width: number, indent: number, colour: boolean): string[] {
  return wrap(text, width - indent).map((line) => `${' '.repeat(indent)}${paint(style, line, colour)}`.trimEnd());
}

function joined(row: readonly Cell[], widths: readonly number[], colour: boolean): string {
  const fields = row.map(({ text, style }, i) => {
    const isLast = i === row.length - 1;
    return (
      paint(style, text, colour) +
      (isLast ? '' : padTo(text, Math.max(displayWidth(text), widths[i] ?? 0) + GAP).slice(text.length))
    );
  });
  return fields.join('').trimEnd();
}

const GAP = 2;
const INDENT = 2;
/** A longer first field moves only the other fields of its own row, not those of all rows. */
const WIDEST_FIRST = 40;
const LEAST_FIRST = 10;
