import { printable } from '../../core/text/printable.ts';
import { padTo } from './display-width.ts';
import { paint, type Style } from './output.ts';
import { leastWidth, type TableOptions } from './table.ts';
import { wrap } from './wrap.ts';

/** A label and a text, which may come from a foreign process. */
export interface Fact {
  /** '': the text continues the label above. null: the text has no label, and begins in the column of the labels. */
  readonly label: string | null;
  readonly text: string;
  readonly style?: Style | undefined;
}

/** The layout of facts, in columns: `indent` before the labels, `label` for the labels. */
interface FactColumns {
  readonly indent: number;
  readonly label: number;
}

/**
 * Facts as printable lines: texts after their labels, wrapped to the width of the terminal and aligned; nothing is cut off. If
 * there is little room beside the labels, the texts are below them.
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
