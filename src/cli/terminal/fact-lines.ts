import { printable } from '../../core/text/printable.ts';
import { padTo } from './display-width.ts';
import { paint, type Style } from './output.ts';
import { leastWidth, type TableOptions } from './table.ts';
import { wrap } from './wrap.ts';

/** One thing that is told: what it is called, and its words, which may be a stranger's. */
export interface Fact {
  /** '': more words to the label above. null: words that need no label, and begin where the labels do. */
  readonly label: string | null;
  readonly text: string;
  readonly style?: Style | undefined;
}

/** Where facts stand, in columns: `indent` before the labels, then `label` for those. */
export interface FactColumns {
  readonly indent: number;
  readonly label: number;
}

/**
 * Facts as printable lines, the words behind their labels, wrapped to the width of the terminal below themselves; nothing is cut.
 * Where little room is left beside the labels, the words stand below those.
 */
export function factLines(facts: readonly Fact[], { indent, label: columns }: FactColumns, options: TableOptions): string[] {
  const width = options.width === undefined ? undefined : Math.max(leastWidth, options.width);
  const isNarrow = width !== undefined && width - indent - columns < LEAST_WORDS;
  return facts.flatMap(({ label, text, style }) => {
    const begin = label === null ? indent : isNarrow ? indent + 2 : indent + columns;
    const words = wrap(printable(text), width === undefined ? undefined : width - begin);
    const lines = words.map((line) => `${' '.repeat(begin)}${paint(style, line, options.colour)}`.trimEnd());
    if (label === null || label === '') return lines;
    const head = `${' '.repeat(indent)}${padTo(label, columns)}`;
    if (isNarrow) return [head.trimEnd(), ...lines];
    return [`${head}${(lines[0] ?? '').slice(begin)}`.trimEnd(), ...lines.slice(1)];
  });
}

const LEAST_WORDS = 24;
