import { displayWidth, ellipsize, padTo } from './display-width.ts';
import { paint, type Style } from './output.ts';

/** One field of a table; its text is printable. */
export interface Cell {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** How a table is drawn. */
export interface TableOptions {
  /** Columns of the terminal; undefined: nothing is cut. */
  readonly width: number | undefined;
  readonly colour: boolean;
}

/**
 * Aligned lines, the header first. On a terminal a field is cut to 40 columns and the last one to what is left, so that no
 * line breaks.
 */
export function renderTable(header: readonly string[], rows: readonly (readonly Cell[])[], options: TableOptions): string[] {
  const { width, colour } = options;
  const all: readonly (readonly Cell[])[] = [header.map((text): Cell => ({ text, style: 'bold' })), ...rows];
  const limit = width === undefined ? Number.MAX_SAFE_INTEGER : WIDEST_FIELD;
  const widths = header.map((_, i) => Math.min(limit, Math.max(...all.map((row) => displayWidth(row[i]?.text ?? '')))));
  return all.map((row) => {
    let left = width ?? Number.MAX_SAFE_INTEGER;
    const fields = row.map(({ text, style }, i) => {
      const isLast = i === row.length - 1;
      const cut = ellipsize(text, Math.max(0, isLast ? left : Math.min(widths[i] ?? 0, left)));
      const padded = isLast ? cut : ellipsize(padTo(cut, (widths[i] ?? 0) + GAP), Math.max(0, left));
      left -= displayWidth(padded);
      return paint(style, cut, colour) + padded.slice(cut.length);
    });
    return fields.join('').trimEnd();
  });
}

const WIDEST_FIELD = 40;
const GAP = 2;
